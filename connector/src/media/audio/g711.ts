import type { Law } from '../law.ts';

/**
 * G.711 by table (ITU-T G.711). Samples are 16 bit: µ-law's 14 bit and A-law's 13 bit values moved
 * to the top.
 */

/** The byte a line of this law carries when nobody speaks. */
export const silenceByte = { pcmu: 0xff, pcma: 0xd5 } as const satisfies Record<Law, number>;

// µ-law adds 33 to the magnitude (132 in 16 bit), so that every segment starts at a power of two.
const bias = 132;
const clip = 32_635;

/*
 *  7 6 5 4 3 2 1 0
 * |S| EXP | MANT  |  µ-law: all bits inverted. A-law: even bits inverted, S set for positive.
 */
function expandMu(byte: number): number {
  const bits = ~byte;
  const magnitude = ((((bits & 0x0f) << 3) + bias) << ((bits >> 4) & 7)) - bias;
  return bits & 0x80 ? -magnitude : magnitude;
}

function expandA(byte: number): number {
  const bits = byte ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function compressMu(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), clip) + bias;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}

function compressA(sample: number): number {
  const magnitude = sample < 0 ? -sample - 1 : sample;
  const exponent = Math.max(0, 24 - Math.clz32(magnitude));
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return ((exponent << 4) | mantissa) ^ (sample < 0 ? 0x55 : 0xd5);
}

const expansions = {
  pcmu: Int16Array.from({ length: 256 }, (_, byte) => expandMu(byte)),
  pcma: Int16Array.from({ length: 256 }, (_, byte) => expandA(byte)),
} as const satisfies Record<Law, Int16Array>;

/** Law -> 16 bit sample, as unsigned index -> byte. */
const compressions = {
  pcmu: compressionTable(compressMu),
  pcma: compressionTable(compressA),
} as const satisfies Record<Law, Uint8Array>;

const conversions = {
  pcmu: conversionTable('pcmu', 'pcma'),
  pcma: conversionTable('pcma', 'pcmu'),
} as const satisfies Record<Law, Uint8Array>;

function compressionTable(compress: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(65_536);
  for (let index = 0; index < table.length; index++) table[index] = compress((index << 16) >> 16);
  return table;
}

function conversionTable(from: Law, to: Law): Uint8Array {
  return Uint8Array.from(expansions[from], (sample) => compressions[to][sample & 0xffff] ?? 0);
}

/** Table byte -> 16 bit sample, for loops that decode on their own. */
export function expansionOf(law: Law): Int16Array {
  return expansions[law];
}

/** Decodes to 16 bit samples, 8000 a second. */
export function decode(law: Law, audio: Uint8Array): Int16Array {
  const table = expansions[law];
  const samples = new Int16Array(audio.length);
  for (let index = 0; index < audio.length; index++) samples[index] = table[audio[index] ?? 0] ?? 0;
  return samples;
}

/** Encodes 16 bit samples. */
export function encode(law: Law, samples: Int16Array): Buffer {
  const table = compressions[law];
  const audio = Buffer.allocUnsafe(samples.length);
  for (let index = 0; index < samples.length; index++)
    audio[index] = table[(samples[index] ?? 0) & 0xffff] ?? 0;
  return audio;
}

/** Turns audio of one law into the other, in place. */
export function convert(from: Law, audio: Uint8Array): void {
  const table = conversions[from];
  for (let index = 0; index < audio.length; index++) audio[index] = table[audio[index] ?? 0] ?? 0;
}
