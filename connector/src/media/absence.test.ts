import { expect, test } from 'vitest';
import { Absence } from './absence.ts';

/** The frames of 20 ms from `from` to before `to` at which silence stands in. */
function absentAt(absence: Absence, from: number, to: number): number[] {
  const frames = Array.from({ length: (to - from) / 20 }, (_, index) => from + index * 20);
  return frames.filter((now) => absence.isAbsent(now));
}

test('before the first audio nothing is missed', () => {
  expect(absentAt(new Absence(), 0, 2000)).toEqual([]);
});

test('a stream that goes on is never absent, whatever its packet time and jitter', () => {
  for (const duration of [10, 20, 60]) {
    const absence = new Absence();
    for (let now = 0; now < 1200; now += duration) {
      absence.heard(now, duration);
      expect(absentAt(absence, now, now + duration + 200)).toEqual([]);
    }
  }
});

test('200 ms after the next audio was due it is absent, until there is some', () => {
  const absence = new Absence();
  absence.heard(0, 20);
  expect(absentAt(absence, 0, 300)).toEqual([220, 240, 260, 280]);
  absence.heard(300, 20);
  expect(absentAt(absence, 300, 540)).toEqual([520]);
});

test('after a stall of our own, what waits in the socket has time to be read', () => {
  const absence = new Absence();
  absence.stalled(0);
  expect(absence.isAbsent(1000)).toBe(false);
  absence.heard(1000, 20);
  absence.stalled(3000);
  expect(absentAt(absence, 3000, 3240)).toEqual([3200, 3220]);
});
