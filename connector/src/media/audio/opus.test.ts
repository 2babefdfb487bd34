import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { loadOpus, OpusDecoder, OpusEncoder, type OpusLibrary } from './opus.ts';

const require = createRequire(import.meta.url);

function toneFrame(frame: number): Int16Array {
  return Int16Array.from({ length: 480 }, (_, n) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * (frame * 480 + n)) / 24_000)),
  );
}

function levelOf(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

function library(): OpusLibrary {
  const loaded = loadOpus().library;
  if (!loaded) throw new Error('no Opus here');
  return loaded;
}

test('the build of WebAssembly stands in for the native one', () => {
  const { library: found, reasons } = loadOpus((name) => {
    if (name === '@evan/opus') throw new Error('wrong ELF class');
    return require(name) as unknown;
  });
  expect(reasons).toEqual(['wrong ELF class']);
  if (!found) throw new Error('no fallback');
  const packet = new OpusEncoder(found, { rate: 24_000, hasFec: false }).encode(toneFrame(0));
  expect(new OpusDecoder(found, 16_000).decode(packet)).toHaveLength(320);
});

test('where neither loads there is none, and the reasons', () => {
  const { library: found, reasons } = loadOpus(() => {
    throw new Error('not for this system');
  });
  expect(found).toBeUndefined();
  expect(reasons).toEqual(['not for this system', 'not for this system']);
});

test('a lost frame of a tone is filled with sound, without a step at its edges', () => {
  const encoder = new OpusEncoder(library(), { rate: 24_000, hasFec: false });
  const decoder = new OpusDecoder(library(), 24_000);
  const heard: Int16Array[] = [];
  for (let frame = 0; frame < 60; frame++) {
    const packet = encoder.encode(toneFrame(frame));
    heard.push(frame % 20 === 15 ? decoder.conceal() : decoder.decode(packet));
  }
  const steady = heard.slice(10);
  for (const frame of steady) {
    expect(frame).toHaveLength(480);
    expect(20 * Math.log10(levelOf(frame) / (8000 / Math.SQRT2))).toBeGreaterThan(-15);
  }
  // A sine of 440 Hz moves by 920 a sample at most; a click would be a multiple of it.
  const samples = steady.flatMap((frame) => [...frame]);
  const steps = samples.slice(1).map((sample, n) => Math.abs(sample - (samples[n] ?? 0)));
  expect(Math.max(...steps)).toBeLessThan(1300);
});

test.each([
  { name: 'nothing', packet: Buffer.alloc(0) },
  { name: 'a broken packet', packet: Buffer.from([255, 1, 2, 3]) },
  { name: 'far too much', packet: Buffer.alloc(9000, 7) },
])('$name is concealed, not thrown', ({ packet }) => {
  expect(new OpusDecoder(library(), 24_000).decode(packet).length).toBeGreaterThan(0);
});
