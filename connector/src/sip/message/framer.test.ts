import { expect, test } from 'vitest';
import { tortureBytes } from '../../../test/fixtures/sip/rfc4475/answers.ts';
import { createFramer, type Frame } from './framer.ts';
import { defaultLimits } from './limits.ts';

const invite = tortureBytes('esc01');
const options = tortureBytes('lwsdisp');
const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

const kinds = (frames: Frame[]) => frames.map((frame) => frame.kind);

test('messages and pings that arrive at once are told apart', () => {
  const framer = createFramer(defaultLimits);
  const frames = framer.push(Buffer.concat([ping, invite, options, ping, ping, invite]));
  expect(kinds(frames)).toEqual(['ping', 'message', 'message', 'ping', 'ping', 'message']);
  expect(frames[1]).toMatchObject({ sizeBytes: invite.length });
  expect(framer.isWaiting).toBe(false);
});

test.each([1, 2, 3, 7, 64])('pieces of %i bytes give the same', (size) => {
  const framer = createFramer(defaultLimits);
  const all = Buffer.concat([ping, invite, pong, options, ping, invite, ping]);
  const frames: Frame[] = [];
  for (let at = 0; at < all.length; at += size)
    frames.push(...framer.push(all.subarray(at, at + size)));
  expect(kinds(frames)).toEqual(['ping', 'message', 'message', 'ping', 'message', 'ping']);
  expect(frames.filter((frame) => frame.kind === 'message').map((frame) => frame.message)).toEqual([
    ...framerMessages(invite),
    ...framerMessages(options),
    ...framerMessages(invite),
  ]);
});

function framerMessages(bytes: Buffer) {
  return createFramer(defaultLimits)
    .push(bytes)
    .flatMap((frame) => (frame.kind === 'message' ? [frame.message] : []));
}

test('a single line end is a pong where one is due', () => {
  const framer = createFramer(defaultLimits);
  framer.expectPong();
  expect(kinds(framer.push(pong))).toEqual(['pong']);
  framer.expectPong();
  expect(kinds(framer.push(Buffer.concat([pong, ping, invite])))).toEqual([
    'pong',
    'ping',
    'message',
  ]);
});

test('a message that is framed but malformed does not break the stream', () => {
  const frames = createFramer(defaultLimits).push(
    Buffer.concat([tortureBytes('mismatch01'), options]),
  );
  expect(frames).toMatchObject([
    { kind: 'error', isFatal: false, error: { status: 400 } },
    { kind: 'message' },
  ]);
});

test.each([
  ['no length', Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n'), 400],
  [
    'a length beyond the limit',
    Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nl: 65537\r\n\r\n'),
    413,
  ],
  [
    'a head without end',
    Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n${'X: y\r\n'.repeat(11_000)}`),
    513,
  ],
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), undefined],
  ['bytes without line ends', Buffer.alloc(65_537, 'x'), undefined],
])('after %s nothing more is read', (_name, bytes, status) => {
  const framer = createFramer(defaultLimits);
  const frames = framer.push(bytes);
  expect(frames).toMatchObject([{ kind: 'error', isFatal: true }]);
  expect(frames[0]?.kind === 'error' && frames[0].error.status).toBe(status);
  expect(framer.push(options)).toEqual([]);
  expect(framer.isWaiting).toBe(false);
});
