import { expect, test } from 'vitest';
import type { Terms } from '../sdp/negotiate.ts';
import { writeRtpHeader } from './packet.ts';
import { RtpReceiver } from './receiver.ts';

const peer = { address: '198.51.100.7', port: 4000 };

function terms(overrides: Partial<Terms> = {}): Terms {
  return {
    codec: 'PCMU',
    wantsFec: false,
    payloadType: 0,
    receivable: new Map([
      [0, 'PCMU'],
      [8, 'PCMA'],
    ]),
    telephoneEvents: [101],
    remote: peer,
    remoteRtcp: undefined,
    isMuxed: false,
    direction: 'sendrecv',
    ptime: 20,
    ...overrides,
  };
}

const line = {
  format: 'pcmu',
  createDecoder: () => {
    throw new Error('G.711 is passed on as it is');
  },
} as const;

function packet(payloadType: number, sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(12);
  const timestamp = sequence * 160;
  writeRtpHeader(header, { payloadType, hasMarker: false, sequence, timestamp, ssrc: 1 });
  return Buffer.concat([header, payload]);
}

function receiver() {
  const heard: number[] = [];
  const digits: string[] = [];
  const rtp = new RtpReceiver({
    onAudio: (audio) => void heard.push(audio[0] ?? -1),
    onDigit: (digit) => void digits.push(digit),
  });
  rtp.configure(terms(), line, 0);
  return { rtp, heard, digits };
}

test('audio comes in the order it was sent, without doubles', () => {
  const { rtp, heard } = receiver();
  for (const sequence of [1, 3, 2, 3, 4, 1])
    rtp.receive(packet(0, sequence, Buffer.alloc(160, sequence)), peer, 0);
  expect(heard).toEqual([1, 2, 3, 4]);
});

test('a peer that changes its law within the call is heard in the line’s law', () => {
  const { rtp, heard } = receiver();
  rtp.receive(packet(0, 1, Buffer.alloc(160, 0x80)), peer, 0);
  rtp.receive(packet(8, 2, Buffer.alloc(160, 0xaa)), peer, 0);
  expect(heard).toEqual([0x80, 0x80]);
});

test('key presses and comfort noise are never audio', () => {
  const { rtp, heard, digits } = receiver();
  const press = Buffer.from([7, 0x8a, 3, 0x20]);
  rtp.receive(packet(101, 1, press), peer, 0);
  rtp.receive(packet(101, 2, press), peer, 0);
  rtp.receive(packet(13, 3, Buffer.from([40])), peer, 0);
  expect([heard, digits, rtp.packets, rtp.malformed]).toEqual([[], ['7', '7'], 3, 0]);
});

test.each([
  { name: 'a payload type that was not agreed', bytes: packet(96, 1, Buffer.alloc(160)) },
  { name: 'what is not RTP', bytes: Buffer.from('OPTIONS sip:a SIP/2.0') },
])('$name is counted and dropped', ({ bytes }) => {
  const { rtp, heard } = receiver();
  rtp.receive(bytes, peer, 0);
  expect([heard, rtp.malformed, rtp.packets]).toEqual([[], 1, 0]);
});

test('strangers are counted and dropped', () => {
  const { rtp, heard } = receiver();
  rtp.receive(packet(0, 1, Buffer.alloc(160, 1)), peer, 0);
  const stranger = { address: '203.0.113.66', port: 9 };
  for (let sequence = 50; sequence < 60; sequence++)
    rtp.receive(packet(0, sequence, Buffer.alloc(160, 9)), stranger, 0);
  expect([heard, rtp.strangers, rtp.target]).toEqual([[1], 10, peer]);
});

test('a packet without payload is no audio', () => {
  const { rtp, heard } = receiver();
  rtp.receive(packet(0, 1, Buffer.alloc(0)), peer, 0);
  expect([heard, rtp.packets]).toEqual([[], 1]);
});

test('a loss is filled with as much audio as was lost', () => {
  const audio: { samples: number; timestamp: number }[] = [];
  const rtp = new RtpReceiver({
    onAudio: ({ length }, timestamp) => void audio.push({ samples: length, timestamp }),
    onDigit: () => undefined,
  });
  rtp.configure(terms(), line, 0);
  for (const sequence of [1, 2, 5])
    rtp.receive(packet(0, sequence, Buffer.alloc(160, 1)), peer, sequence * 20);
  expect(audio).toHaveLength(2);
  rtp.tick(140);
  expect(audio.slice(2)).toEqual([
    { samples: 320, timestamp: 3 * 160 },
    { samples: 160, timestamp: 5 * 160 },
  ]);
  expect([rtp.concealed, rtp.late, rtp.statistics.lost]).toEqual([40, 0, 2]);
});

test('comfort noise and keys hold their places, so that audio after them is not waited for', () => {
  const { rtp, heard } = receiver();
  rtp.receive(packet(0, 1, Buffer.alloc(160, 1)), peer, 0);
  rtp.receive(packet(13, 2, Buffer.from([60])), peer, 20);
  rtp.receive(packet(101, 3, Buffer.from([7, 0x8a, 3, 0x20])), peer, 40);
  rtp.receive(packet(0, 4, Buffer.alloc(160, 4)), peer, 60);
  expect(heard).toEqual([1, 4]);
  expect(rtp.concealed).toBe(0);
});

test('of a loss for which silence stood in, only the rest is filled', () => {
  const sizes: number[] = [];
  const rtp = new RtpReceiver({
    onAudio: (audio) => void sizes.push(audio.length),
    onDigit: () => undefined,
  });
  rtp.configure(terms(), line, 0);
  rtp.receive(packet(0, 1, Buffer.alloc(160, 7)), peer, 0);
  rtp.standIn(380);
  // 580 ms are missing.
  rtp.receive(packet(0, 31, Buffer.alloc(160, 7)), peer, 600);
  rtp.tick(640);
  expect([sizes, rtp.concealed]).toEqual([[160, 200 * 8, 160], 200]);
});
