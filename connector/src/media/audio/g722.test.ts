import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { G722Decoder, G722Encoder } from './g722.ts';

/** A sine, a chirp, noise and a square wave of full scale: half a second of each. */
function signal(): Int16Array {
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 16) - 32_768;
  };
  const kinds = [
    (n: number) => Math.round(8000 * Math.sin(n * 0.3)),
    (n: number) => Math.round(30_000 * Math.sin(n * n * 1e-5)),
    () => noise(),
    (n: number) => (n % 126 < 63 ? 32_767 : -32_768),
  ];
  return Int16Array.from({ length: 32_000 }, (_, n) => kinds[Math.floor(n / 8000)]?.(n) ?? 0);
}

function inFrames(input: Int16Array): Buffer {
  const encoder = new G722Encoder();
  const frames = Array.from({ length: input.length / 320 }, (_, n) =>
    encoder.encode(input.subarray(n * 320, n * 320 + 320)),
  );
  return Buffer.concat(frames);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

test('encodes what libspandsp 0.0.6 encodes, bit for bit', () => {
  expect(hash(inFrames(signal()))).toBe('a511f2960009866a');
});

test('frames or one piece make no difference', () => {
  const input = signal();
  const whole = new G722Encoder().encode(input);
  expect(inFrames(input).equals(whole)).toBe(true);
  const decoder = new G722Decoder();
  const pieces = Array.from({ length: 100 }, (_, n) =>
    decoder.decode(whole.subarray(n * 160, n * 160 + 160)),
  );
  expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece.buffer)))).toEqual(
    Buffer.from(new G722Decoder().decode(whole).buffer),
  );
});

test('decodes what libspandsp 0.0.6 decodes, bit for bit', () => {
  // The library's sums wrap beyond 16 bits, ours saturate as in the recommendation: the first halves stay within.
  const quiet = new G722Encoder().encode(signal().subarray(0, 16_000));
  expect(hash(Buffer.from(new G722Decoder().decode(quiet).buffer))).toBe('d8e155e72fc5d14a');
});

test.each([300, 1000, 3000, 6000])('a tone of %i Hz survives within half a dB', (hertz) => {
  const input = Int16Array.from({ length: 16_000 }, (_, n) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hertz * n) / 16_000)),
  );
  const output = new G722Decoder().decode(new G722Encoder().encode(input)).subarray(1600);
  const power = output.reduce((sum, sample) => sum + sample * sample, 0) / output.length;
  expect(Math.abs(10 * Math.log10(power / (8000 ** 2 / 2)))).toBeLessThan(0.5);
});
