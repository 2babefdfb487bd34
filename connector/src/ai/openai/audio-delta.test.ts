import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { readAudioDelta } from './audio-delta.ts';

const event = {
  type: 'response.output_audio.delta',
  event_id: 'e',
  response_id: 'resp_1',
  item_id: 'item_1',
  output_index: 0,
  content_index: 0,
  delta: 'AAECAw+/',
};

test.each(['response.output_audio.delta', 'response.audio.delta'])(
  'a plain %s is read as JSON.parse reads it',
  (type) => {
    const message = Buffer.from(JSON.stringify({ ...event, type }));
    const { response_id: response, item_id: item, delta } = event;
    expect(readAudioDelta(message)).toEqual({ response, item, delta });
  },
);

test.each([
  { name: 'another event', text: JSON.stringify({ ...event, type: 'response.done' }) },
  { name: 'audio that is not last', text: JSON.stringify({ ...event, after: 1 }) },
  { name: 'an escaped slash in the audio', text: JSON.stringify(event).replace('/"}', '\\/"}') },
  { name: 'an escaped end', text: JSON.stringify({ ...event, delta: 'A"' }) },
  { name: 'an escape in an id', text: JSON.stringify({ ...event, item_id: 'a\n' }) },
  { name: 'no item', text: JSON.stringify({ ...event, item_id: undefined }) },
  { name: 'spaces', text: JSON.stringify(event, null, 1) },
  { name: 'nothing', text: '' },
  { name: 'a piece', text: '{"type":"response.audio.delta"' },
])('$name is left to JSON.parse', ({ text }) => {
  expect(readAudioDelta(Buffer.from(text))).toBeUndefined();
});

test('an item that is remembered does not keep the audio it came with', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const delta = 'A'.repeat(65_536);
  const items = Array.from({ length: 200 }, (_, index) => {
    const message = { ...event, item_id: `item_of_a_usual_length_${index}`, delta };
    return readAudioDelta(Buffer.from(JSON.stringify(message)))?.item;
  });
  collect();
  // All the audio would be 13 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
  expect(new Set(items).size).toBe(200);
});
