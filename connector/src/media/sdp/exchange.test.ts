import { expect, test } from 'vitest';
import type { CodecName } from '../audio/codecs.ts';
import { requireSdp } from './content-type.ts';
import { OfferAnswer } from './exchange.ts';

function exchange(codecs: readonly CodecName[] = ['PCMU', 'PCMA']): OfferAnswer {
  return new OfferAnswer(
    { address: '192.0.2.1', port: 20_016, sessionId: 77 },
    { codecs, family: 4 },
  );
}

function offer(...lines: readonly string[]): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 198.51.100.7',
    's=-',
    'c=IN IP4 198.51.100.7',
    't=0 0',
    ...lines,
    '',
  ].join('\r\n');
}

const plain = offer('m=audio 40000 RTP/AVP 0 8 96', 'a=rtpmap:96 telephone-event/8000');

function linesOf(text: string): string[] {
  return text.split('\r\n').filter((line) => line !== '');
}

function originOf(text: string): string {
  return linesOf(text).find((line) => line.startsWith('o=')) ?? '';
}

test('an answer is complete', () => {
  expect(linesOf(exchange().answer(plain).text)).toEqual([
    'v=0',
    'o=- 77 77 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    'm=audio 20016 RTP/AVP 0 96',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:96 telephone-event/8000',
    'a=fmtp:96 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ]);
});

test('refused lines keep their place, with port 0', () => {
  const { text } = exchange().answer(
    offer('m=image 40010 udptl t38', 'm=audio 40000 RTP/AVP 8', 'm=video 40020 RTP/AVP 96'),
  );
  expect(linesOf(text).filter((line) => line.startsWith('m='))).toEqual([
    'm=image 0 udptl t38',
    'm=audio 20016 RTP/AVP 8',
    'm=video 0 RTP/AVP 96',
  ]);
});

test('rtcp-mux is answered when it was offered', () => {
  const { text } = exchange().answer(offer('m=audio 40000 RTP/AVP 0', 'a=rtcp-mux'));
  expect(linesOf(text)).toContain('a=rtcp-mux');
  expect(linesOf(exchange().answer(plain).text)).not.toContain('a=rtcp-mux');
});

test('the version rises only when the description changes', () => {
  const side = exchange();
  const held = offer('m=audio 40000 RTP/AVP 0', 'a=sendonly');
  expect([plain, plain, held, held, plain].map((text) => originOf(side.answer(text).text))).toEqual(
    [77, 77, 78, 78, 79].map((version) => `o=- 77 ${version} IN IP4 192.0.2.1`),
  );
});

test('a refused re-offer changes nothing', () => {
  const side = exchange();
  const before = side.answer(plain).text;
  expect(() => side.answer(offer('m=audio 40000 RTP/AVP 18'))).toThrow('no common codec');
  expect(side.answer(plain).text).toBe(before);
});

test('our own offer lists our codecs in order', () => {
  expect(linesOf(exchange(['PCMA', 'PCMU']).offer()).slice(5)).toEqual([
    'm=audio 20016 RTP/AVP 8 0 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ]);
});

test('of the answer to our offer the first codec is the one agreed', () => {
  const side = exchange();
  side.offer();
  const terms = side.accept(
    offer('m=audio 40000 RTP/AVP 8 0 96', 'a=rtpmap:96 telephone-event/8000', 'a=ptime:30'),
  );
  expect([terms.codec, terms.payloadType, terms.ptime]).toEqual(['PCMA', 8, 30]);
  // Events may come with our number, as they should, or with the peer's.
  expect(terms.telephoneEvents).toEqual([101, 96]);
});

test('an offer within the call keeps its lines, its number for events and rtcp-mux', () => {
  const side = exchange();
  side.answer(
    offer(
      'm=video 40010 RTP/AVP 97',
      'm=audio 40000 RTP/AVP 0 96',
      'a=rtpmap:96 telephone-event/8000',
      'a=rtcp-mux',
    ),
  );
  const lines = linesOf(side.offer());
  expect(lines.filter((line) => line.startsWith('m='))).toEqual([
    'm=video 0 RTP/AVP 97',
    'm=audio 20016 RTP/AVP 0 8 96',
  ]);
  expect(lines).toContain('a=rtcp-mux');
  expect(side.accept(offer('m=video 0 RTP/AVP 97', 'm=audio 40000 RTP/AVP 8')).payloadType).toBe(8);
});

test.each([
  { name: 'refuses the audio', lines: ['m=audio 0 RTP/AVP 0'] },
  { name: 'names no codec of ours', lines: ['m=audio 40000 RTP/AVP 18'] },
  { name: 'has no media line', lines: [] },
])('an answer that $name is not acceptable', ({ lines }) => {
  const side = exchange();
  side.offer();
  expect(() => side.accept(offer(...lines))).toThrow(/^SDP: /);
});

test.each(['application/sdp', 'Application/SDP; charset=utf-8'])(
  'a body of type %s is SDP',
  (type) => {
    expect(() => requireSdp(type)).not.toThrow();
  },
);

test.each(['application/sdp-bis', 'multipart/mixed;boundary=x', '', undefined])(
  'a body of type %s is not',
  (type) => {
    expect(() => requireSdp(type)).toThrow('not application/sdp');
  },
);
