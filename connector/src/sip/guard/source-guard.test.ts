import { expect, test } from 'vitest';
import { defaultGuardLimits, SourceGuard } from './source-guard.ts';

const limits = {
  ...defaultGuardLimits,
  requests: { perSecond: 2, burst: 3 },
  malformed: { perSecond: 1, burst: 2 },
  failures: { perSecond: 0.1, burst: 2 },
  firstBlock: 1000,
  longestBlock: 3000,
  memory: 10_000,
  mostSources: 3,
};

test('a source has a burst of requests and then so many a second, and others have theirs', () => {
  const guard = new SourceGuard(limits);
  const spend = (now: number) => guard.spendRequest('a', now);
  expect([0, 0, 0, 0].map(spend)).toEqual([true, true, true, false]);
  expect(guard.spendRequest('b', 0)).toBe(true);
  expect([499, 500, 501, 1000].map(spend)).toEqual([false, true, false, true]);
  expect([9000, 9000, 9000, 9000].map(spend)).toEqual([true, true, true, false]);
});

test.each(['malformed', 'failed'] as const)('too many that are %s block a source', (what) => {
  const guard = new SourceGuard(limits);
  expect([guard[what]('a', 0), guard[what]('a', 0)]).toEqual([undefined, undefined]);
  expect(guard[what]('a', 0)).toMatchObject({ duration: 1000 });
  expect([0, 999, 1000].map((now) => guard.isBlocked('a', now))).toEqual([true, true, false]);
  expect(guard.isBlocked('b', 0)).toBe(false);
});

test('each block lasts twice as long up to a bound, and is forgiven after a time', () => {
  const guard = new SourceGuard(limits);
  const durations = [0, 1000, 3000, 6000, 19_001].map((now) => guard.scanned('a', now)?.duration);
  expect(durations).toEqual([1000, 2000, 3000, 3000, 1000]);
});

test('a block that runs is told once and becomes no longer', () => {
  const guard = new SourceGuard(limits);
  guard.scanned('a', 0);
  expect(guard.scanned('a', 900)).toBeUndefined();
  expect(guard.isBlocked('a', 1000)).toBe(false);
});

test('memory is bounded: the source not seen for longest is forgotten', () => {
  const guard = new SourceGuard(limits);
  guard.scanned('a', 0);
  guard.scanned('b', 0);
  guard.spendRequest('c', 0);
  guard.spendRequest('a', 1);
  guard.spendRequest('d', 2);
  expect(guard.size).toBe(3);
  expect([guard.isBlocked('a', 2), guard.isBlocked('b', 2)]).toEqual([true, false]);
});
