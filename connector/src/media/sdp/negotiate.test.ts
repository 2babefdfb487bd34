import { expect, test } from 'vitest';
import { ConnectorError } from '../../base/errors.ts';
import { negotiate, type Preferences, type Terms } from './negotiate.ts';

const both: Preferences = { codecs: ['PCMU', 'PCMA'], family: 4 };

function sdp(...lines: readonly string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', ...lines, ''].join('\r\n');
}

function audio(formats: string, ...lines: readonly string[]): string {
  return sdp('c=IN IP4 198.51.100.7', 't=0 0', `m=audio 40000 RTP/AVP ${formats}`, ...lines);
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof ConnectorError ? `${error.code} ${error.sipStatus}` : 'not ours';
  }
}

test('a plain offer is answered in kind', () => {
  const offer = audio('0 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-16');
  expect(negotiate(offer, both).terms).toEqual({
    codec: 'PCMU',
    wantsFec: false,
    payloadType: 0,
    receivable: new Map([
      [0, 'PCMU'],
      [8, 'PCMA'],
    ]),
    telephoneEvents: [101],
    remote: { address: '198.51.100.7', port: 40_000 },
    remoteRtcp: { address: '198.51.100.7', port: 40_001 },
    isMuxed: false,
    direction: 'sendrecv',
    ptime: 20,
  } satisfies Terms);
});

test.each([
  { name: 'our order decides, not the peer’s', formats: '8 0', codecs: ['PCMU', 'PCMA'], type: 0 },
  { name: 'our other order', formats: '0 8', codecs: ['PCMA', 'PCMU'], type: 8 },
  { name: 'the only common one', formats: '18 8 3', codecs: ['PCMU', 'PCMA'], type: 8 },
  { name: 'one we were told to take', formats: '0 8', codecs: ['PCMA'], type: 8 },
] as const)('the codec is $name', ({ formats, codecs, type }) => {
  const { terms } = negotiate(audio(formats), { codecs, family: 4 });
  expect([terms.payloadType, terms.codec]).toEqual([type, type === 0 ? 'PCMU' : 'PCMA']);
});

test('a dynamic payload type for G.711 is used as the peer numbers it', () => {
  const { terms } = negotiate(audio('96', 'a=rtpmap:96 pcma/8000'), both);
  expect([terms.payloadType, terms.codec]).toEqual([96, 'PCMA']);
});

test('a static number that was given to something else is not taken as G.711', () => {
  const { terms } = negotiate(audio('0 8', 'a=rtpmap:0 G722/8000'), both);
  expect(terms.payloadType).toBe(8);
  expect(terms.receivable).toEqual(new Map([[8, 'PCMA']]));
});

test.each([
  { name: 'the peer’s number', lines: ['a=rtpmap:96 telephone-event/8000'], want: [96] },
  { name: 'the one at 8000 Hz', lines: ['a=rtpmap:96 telephone-event/16000'], want: [] },
  { name: 'none', lines: [], want: [] },
])('telephone-event has $name', ({ lines, want }) => {
  expect(negotiate(audio('0 96', ...lines), both).terms.telephoneEvents).toEqual(want);
});

test('of two rates of telephone-event that of the audio is taken', () => {
  const offer = audio(
    '0 100 101',
    'a=rtpmap:100 telephone-event/16000',
    'a=rtpmap:101 telephone-event/8000',
  );
  expect(negotiate(offer, both).terms.telephoneEvents).toEqual([101]);
});

test.each([
  ['sendrecv', 'sendrecv'],
  ['sendonly', 'recvonly'],
  ['recvonly', 'sendonly'],
  ['inactive', 'inactive'],
] as const)('%s is answered with %s, from either level', (offered, answered) => {
  const own = negotiate(audio('0', `a=${offered}`), both).terms;
  const session = sdp('c=IN IP4 198.51.100.7', 't=0 0', `a=${offered}`, 'm=audio 40000 RTP/AVP 0');
  expect([own.direction, negotiate(session, both).terms.direction]).toEqual([answered, answered]);
});

test.each([
  ['sendrecv', 'recvonly'],
  ['sendonly', 'recvonly'],
  ['inactive', 'inactive'],
] as const)('0.0.0.0 with %s is a hold, answered with %s', (offered, answered) => {
  const offer = sdp('c=IN IP4 0.0.0.0', 't=0 0', 'm=audio 40000 RTP/AVP 0', `a=${offered}`);
  const { terms } = negotiate(offer, both);
  expect([terms.direction, terms.remote, terms.remoteRtcp]).toEqual([
    answered,
    undefined,
    undefined,
  ]);
});

test('an address of the media line comes before that of the session', () => {
  const offer = sdp(
    'c=IN IP4 198.51.100.7',
    't=0 0',
    'm=audio 40000 RTP/AVP 0',
    'c=IN IP4 203.0.113.9',
  );
  expect(negotiate(offer, both).terms.remote).toEqual({ address: '203.0.113.9', port: 40_000 });
});

test.each([
  {
    name: 'a=rtcp with a port',
    line: 'a=rtcp:50001',
    want: { address: '198.51.100.7', port: 50_001 },
  },
  {
    name: 'a=rtcp with an address',
    line: 'a=rtcp:50001 IN IP4 203.0.113.9',
    want: { address: '203.0.113.9', port: 50_001 },
  },
  { name: 'rtcp-mux', line: 'a=rtcp-mux', want: { address: '198.51.100.7', port: 40_000 } },
  { name: 'nothing said', line: 'a=x-other:1', want: { address: '198.51.100.7', port: 40_001 } },
])('RTCP goes where the offer says: $name', ({ line, want }) => {
  expect(negotiate(audio('0', line), both).terms.remoteRtcp).toEqual(want);
});

test.each([
  { lines: ['a=ptime:10'], want: 20 },
  { lines: ['a=ptime:20'], want: 20 },
  { lines: ['a=ptime:30'], want: 30 },
  { lines: ['a=ptime:40'], want: 40 },
  { lines: ['a=ptime:60'], want: 60 },
  { lines: ['a=ptime:25'], want: 20 },
  { lines: ['a=ptime:0'], want: 20 },
  { lines: ['a=ptime:60', 'a=maxptime:40'], want: 20 },
  { lines: ['a=maxptime:150'], want: 20 },
  { lines: [], want: 20 },
])('with $lines we send $want ms', ({ lines, want }) => {
  expect(negotiate(audio('0', ...lines), both).terms.ptime).toBe(want);
});

test('other media lines are refused in their places', () => {
  const offer = sdp(
    'c=IN IP4 198.51.100.7',
    't=0 0',
    'm=video 40010 RTP/AVP 96 97',
    'm=audio 40004 RTP/SAVP 0',
    'm=audio 40000 RTP/AVP 0',
    'm=audio 40002 RTP/AVP 0',
    'm=image 40020 udptl t38',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  );
  const { streams } = negotiate(offer, both);
  expect(streams.map((s) => [s.type, s.profile, s.audio !== undefined, s.formatList])).toEqual([
    ['video', 'RTP/AVP', false, '96 97'],
    ['audio', 'RTP/SAVP', false, '0'],
    ['audio', 'RTP/AVP', true, '0'],
    ['audio', 'RTP/AVP', false, '0'],
    ['image', 'udptl', false, 't38'],
    ['application', 'UDP/DTLS/SCTP', false, 'webrtc-datachannel'],
  ]);
});

const at = 'c=IN IP4 198.51.100.7';
test.each([
  { name: 'no common codec', offer: audio('18 3') },
  { name: 'G.711 at another rate', offer: audio('96', 'a=rtpmap:96 PCMU/16000') },
  { name: 'encrypted audio only', offer: sdp(at, 't=0 0', 'm=audio 40000 RTP/SAVP 0') },
  { name: 'DTLS only', offer: sdp(at, 't=0 0', 'm=audio 40000 UDP/TLS/RTP/SAVPF 0') },
  { name: 'video only', offer: sdp(at, 't=0 0', 'm=video 40000 RTP/AVP 96') },
  { name: 'fax only', offer: sdp(at, 't=0 0', 'm=image 40000 udptl t38') },
  { name: 'audio taken down', offer: sdp(at, 't=0 0', 'm=audio 0 RTP/AVP 0') },
  { name: 'no media at all', offer: sdp(at, 't=0 0') },
  { name: 'no address', offer: sdp('t=0 0', 'm=audio 40000 RTP/AVP 0') },
  { name: 'a host name', offer: sdp('c=IN IP4 media.example', 'm=audio 40000 RTP/AVP 0') },
  { name: 'multicast', offer: sdp('c=IN IP4 224.2.1.1', 'm=audio 40000 RTP/AVP 0') },
  { name: 'the other IP version', offer: sdp('c=IN IP6 2001:db8::1', 'm=audio 40000 RTP/AVP 0') },
])('$name is 488', ({ offer }) => {
  expect(codeOf(() => negotiate(offer, both))).toBe('MEDIA_NOT_ACCEPTABLE 488');
});

test.each([
  { name: 'nothing', offer: '' },
  { name: 'prose', offer: 'hello' },
  { name: 'another version', offer: audio('0').replace('v=0', 'v=1') },
  { name: 'no origin', offer: audio('0').replace(/o=.*\r\n/, '') },
  { name: 'a port that is none', offer: audio('0').replace('40000', '400000') },
  { name: 'a media line without profile', offer: sdp(at, 'm=audio 40000') },
  { name: 'a flood', offer: audio('0', `a=x:${'y'.repeat(40_000)}`) },
  {
    name: 'a flood of media lines',
    offer: sdp(at, ...Array.from({ length: 100 }, () => 'm=audio 4 RTP/AVP 0')),
  },
])('$name is 400', ({ offer }) => {
  expect(codeOf(() => negotiate(offer, both))).toBe('SDP_INVALID 400');
});

test('IPv6 is taken where our media has it', () => {
  const offer = sdp('c=IN IP6 2001:db8::1', 't=0 0', 'm=audio 40000 RTP/AVP 0');
  const { terms } = negotiate(offer, { codecs: ['PCMU'], family: 6 });
  expect(terms.remote).toEqual({ address: '2001:db8::1', port: 40_000 });
});

test('a count of ports and bare line feeds do not disturb', () => {
  const offer = audio('0').replace('40000', '40000/2').replaceAll('\r\n', '\n');
  expect(negotiate(offer, both).terms.remote?.port).toBe(40_000);
});

test('every truncation of an offer is answered or refused with a code', () => {
  const offer = audio(
    '0 8 101',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtcp:40001',
    'a=ptime:20',
    'a=sendrecv',
  );
  for (let length = 0; length < offer.length; length++)
    expect(codeOf(() => negotiate(offer.slice(0, length), both))).not.toBe('not ours');
});

test('random damage never throws anything but our errors', () => {
  const offer = audio('0 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=ptime:20', 'a=inactive');
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 0x8000_0000;
    return Math.floor((seed / 0x8000_0000) * below);
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = offer.split('');
    for (let hit = 0; hit < 4; hit++)
      bytes[random(bytes.length)] = String.fromCodePoint(random(128));
    expect(codeOf(() => negotiate(bytes.join(''), both))).not.toBe('not ours');
  }
});
