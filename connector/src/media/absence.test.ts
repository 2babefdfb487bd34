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

test('a stream that goes on is never absent, whatever its packet time and usual jitter', () => {
  for (const duration of [10, 20, 60]) {
    const absence = new Absence();
    for (let now = 0; now < 1200; now += duration) {
      absence.heard(now, duration);
      expect(absentAt(absence, now, now + duration + 60)).toEqual([]);
    }
  }
});

test('60 ms after the next audio was due it is absent, until there is some', () => {
  const absence = new Absence();
  absence.heard(0, 20);
  expect(absentAt(absence, 0, 160)).toEqual([80, 100, 120, 140]);
  absence.heard(160, 20);
  expect(absentAt(absence, 160, 260)).toEqual([240]);
});
