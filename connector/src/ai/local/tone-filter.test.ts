import { expect, test } from 'vitest';
import { decode, encode } from '../../media/audio/g711.ts';
import { isTone } from './tone-filter.ts';

function tone(frequencies: readonly number[], amplitude = 6000): Int16Array {
  const samples = Int16Array.from({ length: 256 }, (_, n) =>
    frequencies.reduce((sum, f) => sum + amplitude * Math.sin((2 * Math.PI * f * n) / 8000), 0),
  );
  return decode('pcmu', encode('pcmu', samples));
}

test.each([
  ['key 1', [697, 1209]],
  ['key D', [941, 1633]],
  ['ringback', [440, 480]],
  ['dial tone', [350, 440]],
  ['beep', [1000]],
  ['fax', [1100]],
])('%s is a tone, also after G.711', (_, frequencies) => {
  expect(isTone(tone(frequencies))).toBe(true);
  expect(isTone(tone(frequencies, 800))).toBe(true);
});

/** Pulses of a larynx at 120 Hz through the formants of "ah", a little breath added. */
function vowel(): Int16Array {
  let seed = 1;
  const noise = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 30 - 1;
  };
  const excitation = Float64Array.from({ length: 512 }, (_, n) =>
    n % 67 === 0 ? 2000 : 60 * noise(),
  );
  const formants = [
    [730, 90],
    [1090, 110],
    [2440, 170],
  ] as const;
  const shaped = formants.reduce((input, [f, width]) => {
    const radius = Math.exp((-Math.PI * width) / 8000);
    const turn = 2 * radius * Math.cos((2 * Math.PI * f) / 8000);
    const output = new Float64Array(input.length);
    for (let n = 0; n < input.length; n++)
      output[n] =
        (input[n] ?? 0) + turn * (output[n - 1] ?? 0) - radius * radius * (output[n - 2] ?? 0);
    return output;
  }, excitation);
  const peak = Math.max(...shaped.map((x) => Math.abs(x)));
  return Int16Array.from(shaped.slice(256), (x) => (x * 8000) / peak);
}

test('a vowel is no tone', () => {
  expect(isTone(vowel())).toBe(false);
});

test('silence is no tone', () => {
  expect(isTone(new Int16Array(256))).toBe(false);
});
