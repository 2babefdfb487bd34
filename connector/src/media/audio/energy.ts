import type { Law } from '../law.ts';
import { expansionOf } from './g711.ts';

/** Root mean square of G.711 audio in 16 bit sample units: 0 for silence, 23170 for the loudest sine. */
export function energyOf(law: Law, audio: Uint8Array): number {
  if (audio.length === 0) return 0;
  const table = expansionOf(law);
  let sum = 0;
  for (let index = 0; index < audio.length; index++) {
    const sample = table[audio[index] ?? 0] ?? 0;
    sum += sample * sample;
  }
  return Math.sqrt(sum / audio.length);
}
