import { expect, test } from 'vitest';
import { loadFlite } from '../../src/ai/local/flite.ts';
import { loadFvad } from '../../src/ai/local/fvad.ts';
import { frameSamples, Segmenter } from '../../src/ai/local/segmenter.ts';
import { decode, encode } from '../../src/media/audio/g711.ts';

/** Utterances that the fallback detector finds in some audio with silence around. */
async function utterances(samples: Int16Array): Promise<number[]> {
  const padded = new Int16Array(samples.length + 16_000);
  padded.set(samples, 8000);
  const line = decode('pcmu', encode('pcmu', padded));
  const stream = (await loadFvad()).stream();
  const segmenter = new Segmenter(600);
  const found: number[] = [];
  for (let at = 0; at + frameSamples <= line.length; at += frameSamples) {
    const frame = line.subarray(at, at + frameSamples);
    const segment = segmenter.push(frame, await stream.probability(frame));
    if (segment?.type === 'started') found.push((at + frameSamples) / 8 - 1000);
  }
  stream.close();
  return found;
}

function tone(frequencies: readonly number[]): Int16Array {
  return Int16Array.from({ length: 8000 }, (_, n) =>
    frequencies.reduce((sum, f) => sum + 6000 * Math.sin((2 * Math.PI * f * n) / 8000), 0),
  );
}

test.each(['slt', 'rms', 'awb', 'kal'] as const)(
  'the fallback finds a sentence of %s, as one, soon after it begins',
  async (voice) => {
    const say = loadFlite();
    const found = await utterances(say('I would like a large mushroom pizza please', voice));
    expect(found).toHaveLength(1);
    expect(found[0]).toBeLessThan(350);
  },
);

test.each([
  ['key 5', [770, 1336]],
  ['ringback', [440, 480]],
  ['dial tone', [350, 440]],
  ['beep', [1000]],
])('the fallback takes %s for no speech', async (_, frequencies) => {
  expect(await utterances(tone(frequencies))).toEqual([]);
});
