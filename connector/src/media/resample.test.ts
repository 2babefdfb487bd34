import { expect, test } from 'vitest';
import { decimate, Resampler } from './resample.ts';

const rateHz = 16_000;

function sine(frequencyHz: number, samples = rateHz): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * n) / rateHz)),
  );
}

/** Level against the 10000 of the input, dB, away from the edges. */
function level(samples: Int16Array): number {
  const middle = samples.slice(500, -500);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10((2 * power) / 10_000 ** 2 + 1e-12);
}

test.each([100, 300, 1000, 2000, 3000, 3400])('%d Hz passes unchanged', (frequency) => {
  expect(Math.abs(level(decimate(sine(frequency), 2)))).toBeLessThan(0.1);
});

test.each([4000.5, 4300, 4600, 5000, 6000, 7700])(
  '%d Hz does not come back as another tone',
  (f) => {
    expect(level(decimate(sine(f), 2))).toBeLessThan(-58);
  },
);

test('the filter adds no delay', () => {
  const impulse = new Int16Array(1000);
  impulse[400] = 20_000;
  const output = decimate(impulse, 2);
  expect(output.indexOf(Math.max(...output))).toBe(200);
});

test.each([
  [0, 0],
  [1, 1],
  [7, 4],
  [8, 4],
])('%d samples become %d', (given, want) => {
  expect(decimate(new Int16Array(given), 2)).toHaveLength(want);
});

test('a step to full scale overshoots into the limit, and does not wrap around', () => {
  const step = Int16Array.from({ length: 4000 }, (_, n) => (n < 2000 ? -32_768 : 32_767));
  const output = decimate(step, 2);
  expect(Math.max(...output)).toBe(32_767);
  expect(Math.min(...output.slice(1002, -100))).toBeGreaterThan(20_000);
});

function streamedTone(fromHz: number, toHz: number, hertz: number): number {
  const resampler = new Resampler(fromHz, toHz);
  const frame = fromHz / 50;
  let power = 0;
  let count = 0;
  for (let at = 0; at < 50; at++) {
    const input = Int16Array.from({ length: frame }, (_, n) =>
      Math.round(16_000 * Math.sin((2 * Math.PI * hertz * (at * frame + n)) / fromHz)),
    );
    const output = resampler.process(input);
    expect(output).toHaveLength(toHz / 50);
    if (at < 2) continue;
    power += output.reduce((sum, sample) => sum + sample * sample, 0);
    count += output.length;
  }
  return 10 * Math.log10(power / count / (16_000 ** 2 / 2));
}

const pairs = [
  [8000, 16_000],
  [8000, 24_000],
  [16_000, 24_000],
  [24_000, 48_000],
] as const;

test.each([...pairs, ...pairs.map(([a, b]) => [b, a] as const)])(
  'a stream from %i to %i Hz keeps the pass band and takes less than 3 ms',
  (fromHz, toHz) => {
    const lower = Math.min(fromHz, toHz);
    for (const hertz of [300, lower * 0.25, lower * 0.425])
      expect(Math.abs(streamedTone(fromHz, toHz, hertz))).toBeLessThan(0.1);
    expect(new Resampler(fromHz, toHz).delay).toBeLessThan(3);
  },
);

test.each(pairs.map(([a, b]) => [b, a] as const))(
  'a stream from %i to %i Hz lets nothing fold into its band',
  (fromHz, toHz) => {
    for (const part of [0.51, 0.6])
      expect(streamedTone(fromHz, toHz, toHz * part)).toBeLessThan(-50);
  },
);
