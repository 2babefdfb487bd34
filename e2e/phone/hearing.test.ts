import { expect, test } from 'vitest';
import { Hearing } from './hearing.ts';

const frame = (value: number) => new Int16Array(160).fill(value);

/** Frames of these loudnesses, one each 20 ms from time 1000 on. */
function heard(values: readonly number[]): Hearing {
  const hearing = new Hearing();
  for (const [n, value] of values.entries()) hearing.add(frame(value), n * 160, 1000 + n * 20);
  return hearing;
}

const times = (count: number, value: number) => Array.from({ length: count }, () => value);

test('the end of a sound is the first of enough silent frames', () => {
  const hearing = heard([...times(10, 3000), 0, 0, ...times(5, 3000), ...times(20, 0)]);
  expect(hearing.silenceAfter(1000)).toBe(1000 + 17 * 20);
  expect(hearing.silenceAfter(1000, 20)).toBe(1000 + 10 * 20);
  expect(heard(times(50, 3000)).silenceAfter(1000)).toBe(undefined);
});

test('the beginning of a sound is found from a mark on', () => {
  const hearing = heard([3000, 0, 0, 3000]);
  expect(hearing.soundAfter(0)?.at).toBe(1000);
  expect(hearing.soundAfter(160)?.at).toBe(1060);
  expect(hearing.quietFor).toBe(0);
  expect(heard([3000, 0, 0]).quietFor).toBe(40);
});

test('a gap is silence in the recording, and a part of it can be taken', () => {
  const hearing = new Hearing();
  hearing.add(frame(1), 0, 0);
  hearing.add(frame(3), 480, 60);
  expect(hearing.length).toBe(640);
  expect([...new Set(hearing.samples(100, 500))]).toEqual([1, 0, 3]);
  expect(hearing.samples(100, 500)).toHaveLength(400);
  expect(hearing.wave()).toHaveLength(44 + 1280);
});
