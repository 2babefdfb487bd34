import { decode, encode, silenceByte } from '../audio/g711.ts';
import type { Law } from '../law.ts';

// A repeated sound becomes a buzz: it fades out within this many samples (60 ms).
const fadeSamples = 480;

/** Sound in place of what was lost: the last packet again, fading to silence. */
export function conceal(law: Law, last: Uint8Array, samples: number): Buffer {
  const filled = Buffer.alloc(samples, silenceByte[law]);
  if (last.length === 0) return filled;
  const source = decode(law, last);
  const audible = Math.min(samples, fadeSamples);
  const faded = Int16Array.from({ length: audible }, (_, index) =>
    Math.round((source[index % source.length] ?? 0) * (1 - index / fadeSamples)),
  );
  encode(law, faded).copy(filled);
  return filled;
}
