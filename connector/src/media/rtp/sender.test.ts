import { expect, test } from 'vitest';
import type { Law } from '../law.ts';
import { Playout } from '../playout.ts';
import { RtpReader } from './packet.ts';
import { RtpSender } from './sender.ts';

const target = { address: '198.51.100.7', port: 4000 };

interface Sent {
  readonly sequence: number;
  readonly timestamp: number;
  readonly hasMarker: boolean;
  readonly payloadType: number;
  readonly payload: Buffer;
}

function sender(options: { random?: number; wire?: Law; ptime?: number } = {}) {
  const { random = 0, wire = 'pcmu', ptime = 20 } = options;
  const sent: Sent[] = [];
  const reader = new RtpReader();
  const playout = new Playout('pcmu', 20);
  playout.ptime = ptime;
  const rtp = new RtpSender({
    socket: {
      send(packet) {
        reader.read(packet);
        const { sequence, timestamp, hasMarker, payloadType, payloadStart } = reader;
        const payload = Buffer.from(packet.subarray(payloadStart));
        sent.push({ sequence, timestamp, hasMarker, payloadType, payload });
      },
    },
    playout,
    random: () => random,
  });
  rtp.configure({
    payloadType: wire === 'pcmu' ? 0 : 8,
    ptime,
    format: 'pcmu',
    wire,
    unitsPerMs: 8,
  });
  return { rtp, playout, sent };
}

test('sequence and timestamp run over their ends', () => {
  const { rtp, sent } = sender({ random: 1 - 2 ** -33 });
  for (let frame = 0; frame < 3; frame++) rtp.send(target);
  expect(sent.map((packet) => packet.sequence)).toEqual([65_535, 0, 1]);
  expect(sent.map((packet) => packet.timestamp)).toEqual([0xffff_ffff, 159, 319]);
});

test('a call of an hour sends every frame', () => {
  const { rtp, sent } = sender();
  for (let frame = 0; frame < 180_000; frame++) {
    rtp.send(target);
    if (frame < 179_999) sent.length = 0;
  }
  expect(sent.map((packet) => packet.sequence)).toEqual([179_999 % 65_536]);
});

test('silence is sent when nothing is queued, and audio after it has the marker', () => {
  const { rtp, playout, sent } = sender();
  rtp.send(target);
  playout.push(Buffer.alloc(320, 1));
  rtp.send(target);
  rtp.send(target);
  rtp.send(target);
  playout.push(Buffer.alloc(160, 1));
  rtp.send(target);
  expect(sent.map((packet) => [packet.payload[0], packet.hasMarker])).toEqual([
    [0xff, false],
    [1, true],
    [1, false],
    [0xff, false],
    [1, true],
  ]);
});

test('time that passes without packets is in the timestamps and not in the sequence', () => {
  const { rtp, playout, sent } = sender();
  playout.push(Buffer.alloc(320, 1));
  rtp.send(target);
  rtp.pass(10);
  rtp.send(target);
  expect(sent.map((p) => [p.sequence, p.timestamp, p.hasMarker])).toEqual([
    [0, 0, true],
    [1, 11 * 160, true],
  ]);
});

test('the last frame of what was queued is told', () => {
  const { rtp, playout } = sender();
  playout.push(Buffer.alloc(320, 1));
  expect([rtp.send(target), rtp.send(target), rtp.send(target)]).toEqual([false, true, false]);
});

test('a peer that changed its law gets the other one', () => {
  const { rtp, playout, sent } = sender({ wire: 'pcma' });
  playout.push(Buffer.alloc(160, 0x80));
  rtp.send(target);
  rtp.send(target);
  expect(sent.map((p) => [p.payloadType, p.payload[0]])).toEqual([
    [8, 0xaa],
    [8, 0xd5],
  ]);
});

test('packets hold the frame length that was agreed', () => {
  const { rtp, sent } = sender({ ptime: 60 });
  rtp.send(target);
  rtp.send(target);
  expect(sent.map((p) => [p.payload.length, p.timestamp])).toEqual([
    [480, 0],
    [480, 480],
  ]);
});
