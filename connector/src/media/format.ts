import type { Law } from './law.ts';

/**
 * What the audio between a call and its conversation looks like: G.711 as it is on the wire, or 16 bit
 * little-endian samples, so many a second. Mono always.
 */
export type AudioFormat = Law | 'pcm8k' | 'pcm16k' | 'pcm24k';

/** What every provider takes that says nothing else. */
export const telephoneFormats: readonly AudioFormat[] = ['pcmu', 'pcma'];

const properties = {
  pcmu: { sampleRateHz: 8000, bytesPerMillisecond: 8, silence: 0xff },
  pcma: { sampleRateHz: 8000, bytesPerMillisecond: 8, silence: 0xd5 },
  pcm8k: { sampleRateHz: 8000, bytesPerMillisecond: 16, silence: 0 },
  pcm16k: { sampleRateHz: 16_000, bytesPerMillisecond: 32, silence: 0 },
  pcm24k: { sampleRateHz: 24_000, bytesPerMillisecond: 48, silence: 0 },
} as const satisfies Record<
  AudioFormat,
  { sampleRateHz: number; bytesPerMillisecond: number; silence: number }
>;

export function sampleRateOf(format: AudioFormat): 8000 | 16_000 | 24_000 {
  return properties[format].sampleRateHz;
}

export function bytesPerMillisecondOf(format: AudioFormat): number {
  return properties[format].bytesPerMillisecond;
}

/** The byte of silence. */
export function silenceOf(format: AudioFormat): number {
  return properties[format].silence;
}

export function isLaw(format: AudioFormat): format is Law {
  return format === 'pcmu' || format === 'pcma';
}
