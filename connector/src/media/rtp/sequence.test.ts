import { expect, test } from 'vitest';
import { SequenceUnwrapper, timestampDistance } from './sequence.ts';

test.each([
  { name: 'over the end', given: [65_534, 65_535, 0, 1], want: [65_534, 65_535, 65_536, 65_537] },
  { name: 'late over the end', given: [65_535, 1, 0], want: [65_535, 65_537, 65_536] },
  { name: 'back over the start', given: [0, 65_535], want: [0, -1] },
])('sequence numbers run on $name', ({ given, want }) => {
  const unwrapper = new SequenceUnwrapper();
  expect(given.map((sequence) => unwrapper.unwrap(sequence))).toEqual(want);
});

test('sequence numbers run on for hours', () => {
  const unwrapper = new SequenceUnwrapper();
  let last = -1;
  for (let index = 0; index < 500_000; index++) last = unwrapper.unwrap(index & 0xffff);
  expect(last).toBe(499_999);
});

test.each([
  [0, 160, 160],
  [160, 0, -160],
  [0xffff_ff60, 0, 160],
  [0, 0xffff_ff60, -160],
])('from timestamp %i to %i it is %i', (from, to, want) => {
  expect(timestampDistance(from, to)).toBe(want);
});
