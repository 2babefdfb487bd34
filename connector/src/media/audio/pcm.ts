import { type AudioFormat, isLaw } from '../format.ts';
import { decode, encode } from './g711.ts';

/** 16 bit little-endian bytes as samples: a view where memory allows it, else a copy. Half a sample is left off. */
export function samplesOf(bytes: Uint8Array): Int16Array {
  const length = bytes.length >> 1;
  if (bytes.byteOffset % 2 === 0) return new Int16Array(bytes.buffer, bytes.byteOffset, length);
  const copy = bytes.slice(0, length * 2);
  return new Int16Array(copy.buffer, copy.byteOffset, length);
}

/** Samples as bytes, in the same memory. */
export function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** Samples, at the format's rate. */
export function fromFormat(format: AudioFormat, audio: Buffer): Int16Array {
  return isLaw(format) ? decode(format, audio) : samplesOf(audio);
}

/** Audio of the format; the samples are at its rate. */
export function toFormat(format: AudioFormat, samples: Int16Array): Buffer {
  return isLaw(format) ? encode(format, samples) : bytesOf(samples);
}
