import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { G722Decoder, G722Encoder } from '../../src/media/audio/g722.ts';
import { bytesOf, samplesOf } from '../../src/media/audio/pcm.ts';

const script = fileURLToPath(import.meta.resolve('./spandsp.py'));

/** The library that baresip's G.722 is made of. */
function spandsp(mode: 'encode' | 'decode', input: Uint8Array): Buffer {
  return execFileSync('python3', [script, mode], { input });
}

/** Noise of all levels, up to overload. */
function noise(): Int16Array {
  return Int16Array.from({ length: 64_000 }, (_, n) =>
    Math.round((Math.random() - 0.5) * 65_535 * ((n % 16_000) / 16_000)),
  );
}

test('the encoder agrees with libspandsp in every bit', () => {
  const input = noise();
  const ours = Buffer.from(new G722Encoder().encode(input));
  expect(ours.equals(spandsp('encode', bytesOf(input)))).toBe(true);
});

test('the decoder agrees with libspandsp, but for overload, where that wraps around', () => {
  const payload = new G722Encoder().encode(noise());
  const theirs = samplesOf(spandsp('decode', payload));
  const ours = new G722Decoder().decode(payload);
  const differing = ours.filter((sample, n) => sample !== theirs[n]);
  expect(ours).toHaveLength(theirs.length);
  expect(differing.every((sample) => sample === 32_767 || sample === -32_768)).toBe(true);
  expect(differing.length).toBeLessThan(ours.length / 10);
});
