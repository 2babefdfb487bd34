import { expect, test } from 'vitest';
import { formatDescription, parseDescription } from './sdp.ts';

const description = {
  address: '192.0.2.1',
  port: 4000,
  laws: ['pcma', 'pcmu'],
  events: 96,
  direction: 'sendonly',
} as const;

test('a description is read as it was written', () => {
  expect(parseDescription(formatDescription(description, { id: 1, version: 2 }))).toEqual(
    description,
  );
});

test('the address of the stream goes before that of the session, other streams do not count', () => {
  const sdp = [
    'v=0',
    'c=IN IP4 198.51.100.1',
    'm=audio 4002 RTP/AVP 9 8',
    'c=IN IP4 198.51.100.2',
    'm=video 4004 RTP/AVP 96',
    'a=rtpmap:96 telephone-event/8000',
    'a=inactive',
  ].join('\r\n');
  expect(parseDescription(sdp)).toEqual({
    address: '198.51.100.2',
    port: 4002,
    laws: ['pcma'],
    events: undefined,
    direction: 'sendrecv',
  });
});
