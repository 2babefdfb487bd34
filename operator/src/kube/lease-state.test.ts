import { expect, test } from 'vitest';
import {
  holdsLease,
  type LeaseEffect,
  type LeaseEvent,
  type LeaseRecord,
  type LeaseState,
  microTimeOf,
  newLease,
  stepLease,
} from './lease-state.ts';

const timing = { identity: 'me', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };
const epoch = Date.UTC(2026, 0, 1);

function record(over: Partial<LeaseRecord> = {}): LeaseRecord {
  const time = microTimeOf(epoch);
  return {
    holderIdentity: 'other',
    leaseDurationSeconds: 15,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: 3,
    ...over,
  };
}

function play(
  ...events: readonly (readonly [number, LeaseEvent])[]
): readonly [LeaseState, readonly LeaseEffect[]] {
  let state = newLease;
  let effects: readonly LeaseEffect[] = [];
  for (const [now, event] of events) {
    const moment = { now, wall: epoch + now, random: 0.5 };
    [state, effects] = stepLease(state, event, { timing, moment });
  }
  return [state, effects];
}

const due = { type: 'due' } as const;
const read = (given?: LeaseRecord, version = '5') =>
  ({ type: 'read', record: given, version }) as const;
const own = record({ holderIdentity: 'me' });
const written = (sentAt: number, version = '6') =>
  ({ type: 'written', record: own, version, sentAt }) as const;
const elected = [
  [0, due],
  [0, read()],
  [5, written(1)],
] as const;

test('a lease that does not exist is created, and its writer leads', () => {
  expect(play([0, due])[1]).toEqual([{ type: 'read' }]);
  expect(play([0, due], [0, read()])[1]).toMatchObject([
    { type: 'write', version: undefined, record: { holderIdentity: 'me', leaseTransitions: 0 } },
  ]);
  expect(play(...elected)[1]).toEqual([
    { type: 'elected' },
    { type: 'guard', at: 10_001 },
    { type: 'wait', delay: 2000 },
  ]);
});

test('times have six digits after the second, as MicroTime demands', () => {
  expect(microTimeOf(epoch + 7)).toBe('2026-01-01T00:00:00.007000Z');
});

test('a held lease is waited for as long as it changes, whatever its time stamps say', () => {
  const stale = record({ renewTime: '2001-01-01T00:00:00.000000Z' });
  const [state, effects] = play([0, due], [0, read(stale)], [14_000, read(stale)]);
  expect(effects).toEqual([{ type: 'wait', delay: 3200 }]);
  expect(state.phase).toBe('follower');
  const renewed = record({ renewTime: '2001-01-01T00:00:01.000000Z' });
  expect(play([0, read(stale)], [14_000, read(renewed)], [28_000, read(renewed)])[1]).toEqual([
    { type: 'wait', delay: 3200 },
  ]);
});

test('a lease that did not change for its duration on our clock is taken over with its version', () => {
  const future = record({ renewTime: '2099-01-01T00:00:00.000000Z' });
  expect(play([0, read(future)], [15_000, read(future, '7')])[1]).toMatchObject([
    { type: 'write', version: '7', record: { holderIdentity: 'me', leaseTransitions: 4 } },
  ]);
});

test('a lease that was released is taken over at once', () => {
  const free = record({ holderIdentity: '', leaseDurationSeconds: 1 });
  expect(play([0, read(free)])[1]).toMatchObject([{ type: 'write', version: '5' }]);
});

test('a follower that was faster elsewhere goes on waiting', () => {
  expect(play([0, due], [0, read()], [1, { type: 'refused' }])[1]).toEqual([
    { type: 'wait', delay: 3200 },
  ]);
});

test('the leader renews over its own version without reading', () => {
  expect(play(...elected, [2005, due])[1]).toMatchObject([
    { type: 'write', version: '6', record: { renewTime: microTimeOf(epoch + 2005) } },
  ]);
});

test('a leader whose write was refused looks who did it', () => {
  const refused = [...elected, [2005, due], [2010, { type: 'refused' }]] as const;
  expect(play(...refused)[1]).toEqual([{ type: 'read' }]);
  expect(play(...refused, [2020, read(own, '9')])[1]).toMatchObject([
    { type: 'write', version: '9' },
  ]);
  expect(play(...refused, [2020, read(record())])[1]).toEqual([{ type: 'lost' }]);
  expect(play(...refused, [2020, read()])[1]).toEqual([{ type: 'lost' }]);
});

test('a leader that cannot renew goes on until its deadline, and not further', () => {
  const failing = [...elected, [2005, due], [9000, { type: 'failed' }]] as const;
  expect(play(...failing)[1]).toEqual([{ type: 'wait', delay: 2000 }]);
  expect(play(...failing, [10_000, { type: 'deadline' }])[1]).toEqual([
    { type: 'guard', at: 10_001 },
  ]);
  expect(play(...failing, [10_001, { type: 'deadline' }])[1]).toEqual([{ type: 'lost' }]);
});

test.each([
  { name: 'its timer', event: due },
  { name: 'the answer to an old renewal', event: written(2000) },
  { name: 'an error', event: { type: 'failed' } as const },
  { name: 'what it reads', event: read(own) },
])('a leader that was paused loses by the first thing it hears: $name', ({ event }) => {
  const [state, effects] = play(...elected, [60_000, event]);
  expect([state.phase, effects]).toEqual(['lost', [{ type: 'lost' }]]);
  expect(holdsLease(play(...elected)[0], timing, 10_000)).toBe(true);
  expect(holdsLease(play(...elected)[0], timing, 10_001)).toBe(false);
});

test('a follower whose takeover was answered too late does not lead by it', () => {
  const [state, effects] = play([0, due], [0, read()], [12_000, written(1)]);
  expect([state.phase, effects]).toEqual(['follower', [{ type: 'read' }]]);
});

test('who lost never leads again', () => {
  const [state, effects] = play(
    ...elected,
    [60_000, due],
    [61_000, read()],
    [62_000, written(61_500)],
  );
  expect([state.phase, effects]).toEqual(['lost', []]);
});
