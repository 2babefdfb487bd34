import { expect, test } from 'vitest';
import { mosOf, qualityOf, rFactorOf } from './quality.ts';

// Table B.1 of G.107 and its formula.
test.each([
  [0, 1],
  [50, 2.58],
  [60, 3.1],
  [70, 3.6],
  [80, 4.02],
  [90, 4.34],
  [93.2, 4.41],
  [100, 4.5],
])('R of %d is a MOS of %d', (r, mos) => {
  expect(mosOf(r)).toBeCloseTo(mos, 1);
});

test.each([
  { lossPercent: 0, delay: 0, r: 93.2 },
  { lossPercent: 1, delay: 0, r: 89.56 },
  { lossPercent: 5, delay: 0, r: 77.42 },
  { lossPercent: 0, delay: 100, r: 90.8 },
  { lossPercent: 0, delay: 277.3, r: 75.54 },
  { lossPercent: 100, delay: 5000, r: 0 },
])('G.711 with $lossPercent % lost after $delay ms is R $r', ({ lossPercent, delay, r }) => {
  expect(rFactorOf('pcmu', { lossPercent, delay })).toBeCloseTo(r, 1);
});

test.each(['g722', 'opus'] as const)('%s is told against the best of its own band', (codec) => {
  expect(rFactorOf(codec, { lossPercent: 0, delay: 0 })).toBeCloseTo((129 - 13) / 1.29, 5);
  const worse = [1, 5, 20, 100].map((lossPercent) => rFactorOf(codec, { lossPercent, delay: 0 }));
  expect(worse).toEqual(worse.toSorted((a, b) => b - a));
  expect(rFactorOf(codec, { lossPercent: 100, delay: 5000 })).toBe(0);
});

function opinion(lossPercent: number, delay: number): number {
  return mosOf(rFactorOf('pcma', { lossPercent, delay }));
}

test('more loss or more delay never sounds better, and no opinion is below 1', () => {
  for (let step = 0; step < 100; step++) {
    expect(opinion(step + 1, 50)).toBeLessThanOrEqual(opinion(step, 50));
    expect(opinion(1, step * 10 + 10)).toBeLessThanOrEqual(opinion(1, step * 10));
    expect(opinion(step, step * 10)).toBeGreaterThanOrEqual(1);
  }
});

test('loss is of what was expected; more than was sent (doubles) is no loss', () => {
  const measured = { jitterMs: 3.456, delay: 0 };
  expect(qualityOf('pcmu', { ...measured, received: 95, lost: 5 })).toMatchObject({
    lossPercent: 5,
    jitterMs: 3.46,
  });
  expect(qualityOf('pcmu', { ...measured, received: 95, lost: -5 }).lossPercent).toBe(0);
  expect(qualityOf('pcmu', { ...measured, received: 0, lost: 0 }).lossPercent).toBe(0);
});
