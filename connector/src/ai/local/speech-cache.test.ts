import { expect, test } from 'vitest';
import { SpeechCache } from './speech-cache.ts';

const speech = (samples: number) => new Int16Array(samples);

test('the sentence that was not asked for the longest goes first', () => {
  const cache = new SpeechCache(600);
  cache.set('a', speech(100));
  cache.set('b', speech(100));
  cache.set('c', speech(100));
  cache.get('a');
  cache.set('d', speech(100));
  expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key))).toEqual(['a', 'c', 'd']);
});

test('what does not fit at all leaves the others alone', () => {
  const cache = new SpeechCache(600);
  cache.set('a', speech(100));
  cache.set('huge', speech(1000));
  expect([cache.get('a')?.length, cache.get('huge')]).toEqual([100, undefined]);
});
