import { expect, test } from 'vitest';
import type { AudioFormat } from '../format.ts';
import {
  createConverter,
  createDecoder,
  createEncoder,
  formatFor,
  isPassThrough,
} from './codecs.ts';

const openai: readonly AudioFormat[] = ['pcmu', 'pcma', 'pcm24k'];
const local: readonly AudioFormat[] = ['pcmu', 'pcma', 'pcm16k'];

test.each([
  { codec: 'PCMU', taken: openai, format: 'pcmu' },
  { codec: 'PCMA', taken: openai, format: 'pcma' },
  { codec: 'G722', taken: openai, format: 'pcm24k' },
  { codec: 'OPUS', taken: openai, format: 'pcm24k' },
  { codec: 'G722', taken: local, format: 'pcm16k' },
  { codec: 'OPUS', taken: ['pcm16k', 'pcm24k'], format: 'pcm16k' },
  { codec: 'OPUS', taken: ['pcma', 'pcmu'], format: 'pcma' },
  { codec: 'PCMA', taken: ['pcmu'], format: 'pcmu' },
  { codec: 'PCMA', taken: ['pcm16k', 'pcm24k'], format: 'pcm16k' },
  { codec: 'PCMU', taken: [], format: 'pcmu' },
] as const)(
  '$codec to a provider that takes $taken goes as $format',
  ({ codec, taken, format }) => {
    expect(formatFor(codec, taken)).toBe(format);
  },
);

test.each([
  ['PCMU', 'pcmu', true],
  ['PCMA', 'pcmu', true],
  ['PCMU', 'pcm24k', false],
  ['G722', 'pcmu', false],
] as const)('%s on a line of %s is passed through: %s', (codec, format, isPassed) => {
  expect(isPassThrough(codec, format)).toBe(isPassed);
});

test('a frame of 20 ms is one of 20 ms on the other side, whatever the rates', () => {
  const frame = Buffer.alloc(960);
  const payload = createEncoder({ codec: 'G722', format: 'pcm24k', opus: undefined }).encode(frame);
  expect(payload).toHaveLength(160);
  const decoder = createDecoder({ codec: 'G722', format: 'pcm24k', opus: undefined });
  expect(decoder.decode(Buffer.from(payload))).toHaveLength(960);
  expect(decoder.conceal(20)).toHaveLength(960);
  expect(createConverter('pcm24k', 'pcmu')(frame)).toHaveLength(160);
});
