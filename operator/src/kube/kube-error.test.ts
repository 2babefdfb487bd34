import { expect, test } from 'vitest';
import {
  errorOfStatus,
  failureFields,
  isAlreadyExists,
  isConflict,
  isNotFound,
  localError,
} from './kube-error.ts';

test('a Status becomes an error with reason, causes and the wait it asks for', () => {
  const error = errorOfStatus(504, {
    kind: 'Status',
    reason: 'Timeout',
    message: 'Too large resource version',
    details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }, {}] },
  });
  expect(error).toMatchObject({
    status: 504,
    reason: 'Timeout',
    message: 'Too large resource version',
    retryAfter: 1000,
    causes: ['ResourceVersionTooLarge'],
  });
});

test.each([undefined, null, 'Bad gateway', 7, [], {}, { details: 3 }, { details: { causes: {} } }])(
  'what a proxy answers instead of a Status is an error too: %j',
  (body) => {
    expect(errorOfStatus(502, body)).toMatchObject({ status: 502, reason: 'Http502', causes: [] });
  },
);

test('the header goes before the body', () => {
  const body = { details: { retryAfterSeconds: 9 } };
  expect(errorOfStatus(429, body, 2000).retryAfter).toBe(2000);
});

test('a lost race is not the same as a taken name', () => {
  const conflict = errorOfStatus(409, { reason: 'Conflict' });
  const exists = errorOfStatus(409, { reason: 'AlreadyExists' });
  expect([isConflict(conflict), isAlreadyExists(conflict)]).toEqual([true, false]);
  expect([isConflict(exists), isAlreadyExists(exists)]).toEqual([false, true]);
  expect(isNotFound(errorOfStatus(404, {}))).toBe(true);
  expect(isNotFound(localError('TimedOut', 'late'))).toBe(false);
});

test('values that a validation refuses are logged as personal', () => {
  const message = 'spec.numbers[0]: Invalid value: "+44123"';
  expect(failureFields(errorOfStatus(422, { reason: 'Invalid', message }))).toEqual({
    status: 422,
    reason: 'Invalid',
    pii: { message },
  });
  expect(failureFields(new Error('x'))).toEqual({ error: 'x' });
});
