import { expect, test } from 'vitest';
import { ReceptionStatistics } from './statistics.ts';

function receive(sequences: readonly number[], ssrc = 1) {
  const statistics = new ReceptionStatistics();
  const taken = sequences.map((sequence, index) =>
    statistics.receive({ ssrc, sequence, timestamp: index * 160 }, index * 20),
  );
  return { statistics, taken };
}

test.each([
  { name: 'none lost', sequences: [5, 6, 7], lost: 0 },
  { name: 'one lost', sequences: [5, 7], lost: 1 },
  { name: 'reordered', sequences: [5, 7, 6], lost: 0 },
  { name: 'over the end', sequences: [65_534, 65_535, 0, 1], lost: 0 },
  { name: 'lost over the end', sequences: [65_534, 1], lost: 2 },
  { name: 'an older one first', sequences: [5, 4, 6], lost: 0 },
])('$name', ({ sequences, lost }) => {
  const { statistics, taken } = receive(sequences);
  expect(statistics.lost).toBe(lost);
  expect(taken).toEqual(sequences.map(() => true));
});

test('a duplicate is dropped, at once and late', () => {
  const { statistics, taken } = receive([65_535, 0, 65_535, 1, 2, 0]);
  expect(taken).toEqual([true, true, false, true, true, false]);
  expect(statistics.lost).toBe(0);
});

test('a packet older than the window is dropped', () => {
  const { taken } = receive([100, 200, 101]);
  expect(taken).toEqual([true, true, false]);
});

test('a jump is taken with its second packet, without counting loss', () => {
  const { statistics, taken } = receive([100, 101, 20_000, 20_001, 20_002]);
  expect(taken).toEqual([true, true, false, true, true]);
  expect(statistics.lost).toBe(0);
});

test('a new source starts anew and keeps what was lost before', () => {
  const { statistics } = receive([10, 12]);
  expect(statistics.receive({ ssrc: 2, sequence: 60_000, timestamp: 9 }, 100)).toBe(true);
  expect([statistics.ssrc, statistics.lost]).toEqual([2, 1]);
});

test('a report covers what came since the one before', () => {
  const statistics = new ReceptionStatistics();
  expect(statistics.report()).toBeUndefined();
  const take = (sequence: number) =>
    statistics.receive({ ssrc: 1, sequence, timestamp: sequence * 160 }, sequence * 20);
  [1, 2, 4].forEach(take);
  expect(statistics.report()).toEqual({
    fractionLost: 64,
    cumulativeLost: 1,
    highestSequence: 4,
    jitter: 0,
  });
  [5, 6].forEach(take);
  expect(statistics.report()).toMatchObject({ fractionLost: 0, cumulativeLost: 1 });
  expect(statistics.report()).toMatchObject({ fractionLost: 0, highestSequence: 6 });
});

test('the highest sequence counts the wraps', () => {
  const { statistics } = receive([65_535, 0, 1]);
  expect(statistics.report()?.highestSequence).toBe(65_537);
});

test('jitter is the mean deviation of transit', () => {
  const steady = new ReceptionStatistics();
  const shaky = new ReceptionStatistics();
  for (let index = 0; index < 500; index++) {
    const packet = { ssrc: 1, sequence: index, timestamp: (0xffff_0000 + index * 160) >>> 0 };
    steady.receive(packet, index * 20);
    shaky.receive(packet, index * 20 + (index % 2) * 5);
  }
  expect(steady.jitterMs).toBe(0);
  expect(shaky.jitterMs).toBeCloseTo(5, 1);
});

test.each([
  { name: 'another clock', sequence: 3, unitsPerMs: 48 },
  { name: 'a sender that starts anew', sequence: 20_000, unitsPerMs: 8 },
])('$name is no jitter', ({ sequence, unitsPerMs }) => {
  const { statistics } = receive([0, 1, 2]);
  statistics.unitsPerMs = unitsPerMs;
  for (let index = 0; index < 4; index++) {
    const timestamp = 0x4000_0000 + index * 20 * unitsPerMs;
    statistics.receive({ ssrc: 1, sequence: sequence + index, timestamp }, (3 + index) * 20);
  }
  expect(statistics.jitterMs).toBe(0);
});
