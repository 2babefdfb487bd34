import { expect, test } from 'vitest';
import { encodeFrame, encodeMessageFrame, FrameReader } from './frame.ts';

function readAll(reader: FrameReader, chunk: string | Buffer): string[] {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
  return [...reader.read(bytes)].map((payload) => payload.toString('utf8'));
}

test('the length counts bytes, not characters', () => {
  expect(encodeFrame('m1|ping').toString()).toBe('7#m1|ping');
  expect(encodeFrame('é').toString()).toBe('2#é');
  expect(encodeMessageFrame('m|sip|ü', Buffer.from('BYE é')).toString()).toBe(
    `16#m|sip|ü\r\nBYE é`,
  );
});

test('frames that arrive together come apart', () => {
  expect(readAll(new FrameReader(), '7#m1|ping7#m2|ping3#a')).toEqual(['m1|ping', 'm2|ping']);
});

test('a frame may be split anywhere, its length too', () => {
  const stream = Buffer.concat([encodeFrame('m1|ping'), encodeFrame('m2|sip|é\r\nx')]);
  const reader = new FrameReader();
  const payloads = [...stream].flatMap((byte) => readAll(reader, Buffer.from([byte])));
  expect(payloads).toEqual(['m1|ping', 'm2|sip|é\r\nx']);
});

test.each([
  ['a letter in front of the hash', 'x7#m1|ping'],
  ['no digits', '#m1|ping'],
  ['a sign', '-7#m1|ping'],
  ['a length of 0', '0#'],
  ['many zeros', '0000007#m1|ping'],
  ['more than 128 KiB', '131073#'],
  ['a TLS hello', '\u0016\u0003\u0001'],
])('%s breaks the stream', (_, stream) => {
  const reader = new FrameReader();
  expect(readAll(reader, stream)).toEqual([]);
  expect(reader.isBroken).toBe(true);
  expect(readAll(reader, '7#m1|ping')).toEqual([]);
});

test('frames in front of junk are read', () => {
  const reader = new FrameReader();
  expect(readAll(reader, '7#m1|pingjunk')).toEqual(['m1|ping']);
  expect(reader.isBroken).toBe(true);
});

test('a frame of 128 KiB is read', () => {
  const payload = 'x'.repeat(128 * 1024);
  expect(readAll(new FrameReader(), encodeFrame(payload))).toEqual([payload]);
});

test('the limit can be raised between two frames of one chunk', () => {
  const reader = new FrameReader(4);
  const payloads: string[] = [];
  for (const payload of reader.read(Buffer.from('4#auth6#123456'))) {
    payloads.push(payload.toString());
    reader.allow(10);
  }
  expect(payloads).toEqual(['auth', '123456']);
});
