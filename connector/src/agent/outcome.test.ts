import { expect, test } from 'vitest';
import { ConnectorError, errorTable } from '../base/errors.ts';
import { failureOf, reasonHeader } from './outcome.ts';

test.each([
  { code: 'MEDIA_NOT_ACCEPTABLE', status: 488, result: 'rejected', reason: 'media-not-acceptable' },
  { code: 'SDP_INVALID', status: 400, result: 'rejected', reason: 'media-not-acceptable' },
  { code: 'RTP_PORTS_EXHAUSTED', status: 503, result: 'rejected', reason: 'capacity' },
  { code: 'PROVIDER_TIMEOUT', status: 480, result: 'failed', reason: 'provider-failed' },
  { code: 'CALL_GONE', status: 481, result: 'cancelled', reason: 'caller-cancelled' },
] as const)('$code refuses with $status', ({ code, status, result, reason }) => {
  const failure = failureOf(new ConnectorError(code, 'x'));
  expect([failure.status, failure.termination]).toEqual([status, { result, reason }]);
});

test('only what no call could have had is a 503, and it says when to try again', () => {
  const codes = Object.keys(errorTable) as (keyof typeof errorTable)[];
  const refused = codes.filter((code) => failureOf(new ConnectorError(code, 'x')).status === 503);
  expect(refused).toEqual(['RTP_PORTS_EXHAUSTED', 'DRAINING']);
  for (const code of refused) {
    expect(failureOf(new ConnectorError(code, 'x')).headers).toHaveProperty('Retry-After');
  }
});

test('a bug refuses with 500', () => {
  expect(failureOf(new TypeError('x'))).toEqual({
    termination: { result: 'failed', reason: 'internal-error' },
    status: 500,
  });
});

test('BYE explains what is no ordinary end', () => {
  expect(reasonHeader({ result: 'completed', reason: 'agent-hung-up' })).toEqual({});
  expect(reasonHeader({ result: 'failed', reason: 'no-media' })).toEqual({
    Reason: 'Q.850;cause=102;text="no-media"',
  });
});
