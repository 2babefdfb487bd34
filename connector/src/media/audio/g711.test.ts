import { expect, test } from 'vitest';
import { fromUlaw, toUlaw } from '../../../test/support/goertzel.ts';
import { energyOf } from './energy.ts';
import { convert, decode, encode, silenceByte } from './g711.ts';

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test.each([
  { law: 'pcmu', byte: 0x00, sample: -32_124 },
  { law: 'pcmu', byte: 0x80, sample: 32_124 },
  { law: 'pcmu', byte: 0xff, sample: 0 },
  { law: 'pcmu', byte: 0xfe, sample: 8 },
  { law: 'pcma', byte: 0xd5, sample: 8 },
  { law: 'pcma', byte: 0x55, sample: -8 },
  { law: 'pcma', byte: 0xaa, sample: 32_256 },
  { law: 'pcma', byte: 0x2a, sample: -32_256 },
] as const)('$law $byte is $sample', ({ law, byte, sample }) => {
  expect(decode(law, Buffer.from([byte]))[0]).toBe(sample);
  expect(encode(law, Int16Array.of(sample))[0]).toBe(byte);
});

test('every byte comes back after decoding and encoding', () => {
  expect(encode('pcma', decode('pcma', allBytes))).toEqual(allBytes);
  const mu = Buffer.from(allBytes);
  // µ-law has two zeros, of which the positive one is written.
  mu[0x7f] = 0xff;
  expect(encode('pcmu', decode('pcmu', allBytes))).toEqual(mu);
});

test('µ-law agrees with another implementation on all samples', () => {
  for (let byte = 0; byte < 256; byte++)
    expect(decode('pcmu', Buffer.from([byte]))[0]).toBe(fromUlaw(byte) + 0);
  const samples = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
  const encoded = encode('pcmu', samples);
  let different = 0;
  samples.forEach((sample, index) => {
    if (encoded[index] !== toUlaw(sample)) different += 1;
  });
  expect(different).toBe(0);
});

test.each(['pcmu', 'pcma'] as const)('%s is within half a step of any sample', (law) => {
  const samples = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
  const back = decode(law, encode(law, samples));
  const isFar = (sample: number, index: number) =>
    Math.abs(sample) <= 32_000 &&
    Math.abs((back[index] ?? 0) - sample) >= Math.max(16, Math.abs(sample) / 16);
  expect(samples.filter(isFar)).toEqual(new Int16Array());
});

test.each([
  ['pcmu', 'pcma'],
  ['pcma', 'pcmu'],
] as const)('%s becomes the nearest %s', (from, to) => {
  const converted = Buffer.from(allBytes);
  convert(from, converted);
  expect(converted).toEqual(encode(to, decode(from, allBytes)));
});

test('silence of one law is silence of the other', () => {
  const audio = Buffer.of(silenceByte.pcmu);
  convert('pcmu', audio);
  expect(audio[0]).toBe(silenceByte.pcma);
});

test('energy is the root mean square', () => {
  expect(energyOf('pcmu', Buffer.alloc(160, 0xff))).toBe(0);
  expect(energyOf('pcmu', Buffer.alloc(160, 0x80))).toBe(32_124);
  expect(energyOf('pcmu', Buffer.alloc(0))).toBe(0);
});
