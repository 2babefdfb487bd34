import { expect, test } from 'vitest';
import type { CodecName } from '../audio/codecs.ts';
import { OfferAnswer } from './exchange.ts';
import type { Terms } from './negotiate.ts';

const all: readonly CodecName[] = ['OPUS', 'G722', 'PCMU', 'PCMA'];

function exchange(codecs = all, family: 4 | 6 = 4): OfferAnswer {
  const address = family === 4 ? '192.0.2.1' : '2001:db8::1';
  return new OfferAnswer({ address, port: 20_016, sessionId: 77 }, { codecs, family });
}

function sdp(formats: string, lines: readonly string[] = [], host = 'IP4 198.51.100.7'): string {
  const head = ['v=0', `o=- 1 1 IN ${host}`, 's=-', `c=IN ${host}`, 't=0 0'];
  return [...head, `m=audio 40000 RTP/AVP ${formats}`, ...lines, ''].join('\r\n');
}

function mediaOf(text: string): string[] {
  return text.split('\r\n').slice(5, -1);
}

const modern = sdp('111 9 0 101 110', [
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:101 telephone-event/8000',
  'a=rtpmap:110 telephone-event/48000',
]);

test('Opus is answered with its two channels, its parameters and events of its clock', () => {
  const { text, terms } = exchange().answer(modern);
  expect(mediaOf(text)).toEqual([
    'm=audio 20016 RTP/AVP 111 110',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:110 telephone-event/48000',
    'a=fmtp:111 maxplaybackrate=24000;stereo=0;useinbandfec=0',
    'a=fmtp:110 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ]);
  expect([terms.codec, terms.wantsFec, terms.telephoneEvents]).toEqual(['OPUS', true, [110]]);
});

test('G.722 has a clock of 8000, and events with it', () => {
  const { text, terms } = exchange(['G722', 'PCMU']).answer(modern);
  expect(mediaOf(text).slice(0, 3)).toEqual([
    'm=audio 20016 RTP/AVP 9 101',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:101 telephone-event/8000',
  ]);
  expect([terms.codec, terms.receivable.get(9), terms.wantsFec]).toEqual(['G722', 'G722', false]);
});

test.each([
  { name: 'opus at another clock', line: 'a=rtpmap:111 opus/16000/2' },
  { name: 'G.722 at its sampling rate', line: 'a=rtpmap:111 G722/16000' },
])('$name is not what the RFC says and is not taken', ({ line }) => {
  expect(() => exchange(['OPUS', 'G722']).answer(sdp('111', [line]))).toThrow('no common codec');
});

test('an offer of ours has events for each clock', () => {
  expect(mediaOf(exchange().offer())).toEqual([
    'm=audio 20016 RTP/AVP 96 9 0 8 101 102',
    'a=rtpmap:96 opus/48000/2',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/48000',
    'a=rtpmap:102 telephone-event/8000',
    'a=fmtp:96 maxplaybackrate=24000;stereo=0;useinbandfec=0',
    'a=fmtp:101 0-15',
    'a=fmtp:102 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ]);
});

test('the peer may answer with numbers of its own: both are taken, its is sent', () => {
  const side = exchange();
  side.offer();
  const terms = side.accept(
    sdp('120 121', ['a=rtpmap:120 opus/48000/2', 'a=rtpmap:121 telephone-event/48000']),
  );
  expect([terms.payloadType, terms.telephoneEvents]).toEqual([120, [101, 121]]);
  expect([terms.receivable.get(96), terms.receivable.get(120)]).toEqual(['OPUS', 'OPUS']);
});

test('an offer within the call keeps the numbers that were used in it', () => {
  const side = exchange();
  side.answer(modern);
  expect(mediaOf(side.offer())[0]).toBe('m=audio 20016 RTP/AVP 111 9 0 8 110 101');
});

test('a re-offer may change the codec', () => {
  const side = exchange();
  const codecs = [modern, sdp('9'), sdp('8'), modern].map((text) => side.answer(text).terms.codec);
  expect(codecs).toEqual(['OPUS', 'G722', 'PCMA', 'OPUS']);
});

test('IPv6 is offered and answered', () => {
  const { text, terms } = exchange(all, 6).answer(sdp('9', [], 'IP6 2001:db8::7'));
  expect(text).toContain('c=IN IP6 2001:db8::1');
  expect(terms.remote).toEqual({ address: '2001:db8::7', port: 40_000 } satisfies Terms['remote']);
});

test.each([
  { formats: '9', lines: ['a=ptime:30'], ptime: 30 },
  { formats: '9', lines: ['a=ptime:60', 'a=maxptime:40'], ptime: 20 },
  { formats: '111', lines: ['a=rtpmap:111 opus/48000/2', 'a=ptime:30'], ptime: 20 },
  { formats: '111', lines: ['a=rtpmap:111 opus/48000/2', 'a=ptime:60'], ptime: 60 },
])('$formats with $lines goes in packets of $ptime ms', ({ formats, lines, ptime }) => {
  expect(exchange().answer(sdp(formats, lines)).terms.ptime).toBe(ptime);
});
