import { expect, test } from 'vitest';
import { failed, initialFailover, nextInCall, nextWhileRinging } from './failover.ts';

/** Fails the provider of the moment at these times; says who serves after each. */
function run(count: number, failures: readonly { at: number; isRetryable?: boolean }[]) {
  const served: (number | undefined)[] = [];
  let state = initialFailover(count);
  for (const { at, isRetryable = true } of failures) {
    const next = nextInCall(failed(state, { at, isRetryable }), at);
    served.push(next?.current);
    if (!next) break;
    state = next;
  }
  return served;
}

test.each([
  { name: 'twice the same, then the next', given: [0, 1, 2], want: [0, 0, 1] },
  { name: 'then none', given: [0, 1, 2, 3, 4, 5], want: [0, 0, 1, 1, 1, undefined] },
  { name: 'a loss a minute ago is forgotten', given: [0, 1, 61_001, 61_002], want: [0, 0, 0, 0] },
  {
    name: 'the first has another chance when its losses are old',
    given: [0, 1, 2, 70_000, 70_001, 70_002],
    want: [0, 0, 1, 1, 1, 0],
  },
])('$name', ({ given, want }) => {
  expect(
    run(
      2,
      given.map((at) => ({ at })),
    ),
  ).toEqual(want);
});

test('what is not retryable is out for the rest of the call', () => {
  const failures = [
    { at: 0, isRetryable: false },
    { at: 100_000, isRetryable: false },
  ];
  expect(run(2, failures)).toEqual([1, undefined]);
});

test('while the phone rings each is asked once, in order', () => {
  const first = initialFailover(2);
  const second = nextWhileRinging(failed(first, { at: 0, isRetryable: true }));
  expect(second?.current).toBe(1);
  expect(second && nextWhileRinging(second)).toBeUndefined();
});
