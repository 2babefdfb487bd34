import { type AudioFormat, isLaw } from '../format.ts';
import { expansionOf } from './g711.ts';
import { samplesOf } from './pcm.ts';

/** Root mean square of audio in 16 bit sample units: 0 for silence, 23170 for the loudest sine. */
export function energyOf(format: AudioFormat, audio: Uint8Array): number {
  if (audio.length === 0) return 0;
  const table = isLaw(format) ? expansionOf(format) : undefined;
  const values = table ? audio : samplesOf(audio);
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    const sample = table ? (table[value] ?? 0) : value;
    sum += sample * sample;
  }
  return Math.sqrt(sum / values.length);
}
