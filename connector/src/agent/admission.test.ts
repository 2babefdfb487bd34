import { expect, test } from 'vitest';
import { refusalFor } from './admission.ts';

const load = { isDraining: false, activeCalls: 1, maxCalls: 2 };

test('a call comes while there is room', () => {
  expect(refusalFor(load)).toBeUndefined();
});

test.each([
  { name: 'full', over: { activeCalls: 2 }, reason: 'capacity', after: '5' },
  { name: 'draining', over: { isDraining: true }, reason: 'draining', after: '30' },
  { name: 'both', over: { isDraining: true, activeCalls: 2 }, reason: 'draining', after: '30' },
])('a process that is $name says 503 with Retry-After', ({ over, reason, after }) => {
  expect(refusalFor({ ...load, ...over })).toEqual({
    status: 503,
    headers: { 'Retry-After': after },
    termination: { result: 'rejected', reason },
  });
});
