import { expect, test } from 'vitest';
import { frameSamples, type Segment, Segmenter } from './segmenter.ts';

/** Pushes frames of these probabilities, frame n full of the number n. */
function segments(probabilities: readonly number[], endSilence = 96) {
  const segmenter = new Segmenter(endSilence);
  return probabilities.flatMap((probability, index) => {
    const segment = segmenter.push(new Int16Array(frameSamples).fill(index), probability);
    return segment && segment.type !== 'paused' ? [[index, describe(segment)]] : [];
  });
}

function describe(segment: Segment) {
  if (segment.type !== 'stopped') return segment.type;
  return {
    from: segment.samples[0],
    to: segment.samples.at(-1),
    frames: segment.samples.length / frameSamples,
    trimmed: segment.trimmed,
  };
}

const times = (count: number, probability: number) =>
  Array.from({ length: count }, () => probability);

test('speech is reported with its first frame, and its end after the silence', () => {
  expect(segments([0, 0.9, 0.8, 0.1, 0.1, 0.1, 0.1])).toEqual([
    [1, 'started'],
    [5, { from: 0, to: 5, frames: 6, trimmed: 0 }],
  ]);
});

test('a pause shorter than the silence, or a doubtful frame, ends nothing', () => {
  expect(segments([0.9, 0.1, 0.1, 0.9, 0.4, 0.4, 0.4, 0.4])).toEqual([[0, 'started']]);
});

test('doubt begins nothing', () => {
  expect(segments(times(50, 0.45))).toEqual([]);
});

test('audio from before the beginning is kept, 288 ms of it', () => {
  const given = [...times(20, 0), 0.9, 0, 0, 0];
  expect(segments(given)).toEqual([
    [20, 'started'],
    [23, { from: 11, to: 23, frames: 13, trimmed: 0 }],
  ]);
});

test('of a long silence only the beginning is kept', () => {
  expect(segments([0.9, ...times(20, 0)], 640).at(-1)).toEqual([
    20,
    { from: 0, to: 7, frames: 8, trimmed: 13 * frameSamples },
  ]);
});

test('speech without end is cut after 15 s, and goes on as another utterance', () => {
  const all = segments(times(1000, 0.9));
  expect(all.filter(([, what]) => what === 'started').map(([at]) => at)).toEqual([0, 470, 931]);
});

test('a stream that stops in mid-speech ends the utterance, one in silence has none', () => {
  const segmenter = new Segmenter(600);
  expect(segmenter.end()).toBe(undefined);
  segmenter.push(new Int16Array(frameSamples), 0.9);
  expect(segmenter.end()).toMatchObject({ type: 'stopped' });
  expect(segmenter.end()).toBe(undefined);
});

test('half of the silence is a pause; what is said after it makes it no longer the whole', () => {
  const segmenter = new Segmenter(128);
  const given = [0.9, 0, 0, 0.9, 0, 0, 0, 0];
  const got = given.map((probability) => {
    const segment = segmenter.push(new Int16Array(frameSamples), probability);
    if (segment?.type === 'stopped') return segment.isAsPaused;
    return segment?.type === 'paused' ? segment.samples.length / frameSamples : segment?.type;
  });
  const none = undefined;
  expect(got).toEqual(['started', none, 3, none, none, 6, none, true]);
});

test('an utterance that is cut for its length was not paused', () => {
  const segmenter = new Segmenter(600);
  const last = times(470, 0.9)
    .map((probability) => segmenter.push(new Int16Array(frameSamples), probability))
    .at(-1);
  expect(last).toMatchObject({ type: 'stopped', isAsPaused: false });
});
