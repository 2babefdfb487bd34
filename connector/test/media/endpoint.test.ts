import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { Endpoint } from '../../src/media/endpoint.ts';
import { toneShare } from '../support/goertzel.ts';
import {
  audioPort,
  Ear,
  every20ms,
  mediaPlane,
  offerOf,
  RtpPeer,
  ulawShare,
  ulawTone,
} from './peer.ts';

const plane = mediaPlane(0, 400);
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function endpoint(codecs: ('PCMU' | 'PCMA')[] = ['PCMU', 'PCMA']) {
  const made = await plane.createEndpoint({ id: 'test', codecs });
  const ear = new Ear();
  made.setListener(ear);
  cleanups.push(() => made.close());
  return { endpoint: made, ear };
}

async function peer(port = 0): Promise<RtpPeer> {
  const made = await RtpPeer.open(port);
  cleanups.push(() => made.close());
  return made;
}

/** A peer in a call with an endpoint that has begun to send. */
async function call(...lines: readonly string[]) {
  const phone = await peer();
  const made = await endpoint();
  const answer = made.endpoint.answer(phone.offer(...lines));
  made.endpoint.start();
  return { ...made, phone, port: audioPort(answer) };
}

function connect(caller: Endpoint, callee: Endpoint): void {
  caller.accept(callee.answer(caller.offer()));
  caller.start();
  callee.start();
}

const silence = Buffer.alloc(160, 0xff);

test('two endpoints hear each other’s tones', async () => {
  const a = await endpoint();
  const b = await endpoint(['PCMA', 'PCMU']);
  connect(a.endpoint, b.endpoint);
  expect([a.endpoint.format, b.endpoint.format]).toEqual(['pcma', 'pcma']);
  await a.endpoint.close();
  await b.endpoint.close();

  const c = await endpoint();
  const d = await endpoint();
  connect(c.endpoint, d.endpoint);
  c.endpoint.play(ulawTone(440, 2000));
  d.endpoint.play(ulawTone(1000, 2000));
  await wait(1500);
  expect(ulawShare(d.ear.audio.subarray(1600, 9600), 440)).toBeGreaterThan(0.95);
  expect(ulawShare(c.ear.audio.subarray(1600, 9600), 1000)).toBeGreaterThan(0.95);
  expect([c.endpoint.stats().lost, c.endpoint.stats().strangers]).toEqual([0, 0]);
});

test('what is sent is continuous, 20 ms apart, and begins without waiting for the peer', async () => {
  const { endpoint: line, phone } = await call();
  await wait(300);
  line.play(ulawTone(500, 200));
  await wait(700);
  const packets = phone.received;
  expect(packets.length).toBeGreaterThan(30);
  packets.slice(1).forEach((packet, index) => {
    const before = packets[index]!;
    expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
    // More than one frame only where this machine stood still for longer than 100 ms.
    expect(((packet.timestamp - before.timestamp) >>> 0) % 160).toBe(0);
  });
  expect(new Set(packets.map((packet) => packet.payload.length))).toEqual(new Set([160]));
  const marked = packets.filter((packet) => packet.hasMarker);
  expect(marked[0]?.payload.equals(silence)).toBe(false);
  // The best of some packets each, for this machine may stand still at any one of them.
  const begun = packets[0]!.timestamp;
  const delays = packets.map(({ at, timestamp }) => at - ((timestamp - begun) >>> 0) / 8);
  const drift = Math.min(...delays.slice(-15)) - Math.min(...delays.slice(0, 15));
  expect(Math.abs(drift)).toBeLessThan(40);
});

test('clear is heard within a frame and onPlayed tells the end of what was queued', async () => {
  const { endpoint: line, ear, phone } = await call();
  line.play(ulawTone(500, 10_000));
  await wait(200);
  line.clear();
  const sent = phone.received.length;
  expect(line.queuedBytes).toBe(line.playedBytes);
  await wait(100);
  expect(ear.played).toBe(0);
  // One packet may have been on its way.
  for (const packet of phone.received.slice(sent + 1))
    expect(packet.payload.equals(silence)).toBe(true);
  line.play(ulawTone(500, 100));
  await vi.waitFor(() => expect(ear.played).toBe(1));
});

test('a stranger can neither be heard nor draw the audio to himself', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  const stranger = await peer();
  const stop = every20ms(() => phone.send(port, ulawTone(440, 20)));
  cleanups.push(stop);
  await vi.waitFor(() => expect(ear.packets).toBeGreaterThan(2));
  ear.forget();
  const stopStranger = every20ms(() => stranger.send(port, ulawTone(1000, 20)));
  cleanups.push(stopStranger);
  await wait(1000);
  expect(ulawShare(ear.audio, 1000)).toBeLessThan(0.01);
  expect(stranger.received.length).toBe(0);
  expect(line.stats().strangers).toBeGreaterThan(40);
});

test('a peer behind NAT is found by its packets, and only it', async () => {
  const made = await endpoint();
  const announced = await peer();
  const real = await peer();
  const port = audioPort(made.endpoint.answer(announced.offer()));
  made.endpoint.start();
  await vi.waitFor(() => expect(announced.received.length).toBeGreaterThan(0));
  cleanups.push(every20ms(() => real.send(port, ulawTone(500, 20))));
  await vi.waitFor(() => expect(real.received.length).toBeGreaterThan(5));
  const stranger = await peer();
  for (let packet = 0; packet < 10; packet++) stranger.send(port, silence);
  await wait(100);
  expect(stranger.received.length).toBe(0);
  expect(ulawShare(made.ear.audio, 500)).toBeGreaterThan(0.9);
});

test('key presses come once each and are not heard', async () => {
  const { ear, phone, port } = await call();
  const press = (event: number, timestamp: number) => {
    for (const [units, end] of [
      [160, 0],
      [320, 0],
      [640, 0x80],
      [640, 0x80],
      [640, 0x80],
    ] as const) {
      const payload = Buffer.from([event, end | 10, units >> 8, units & 0xff]);
      phone.sendAt(port, { payload, type: 96, timestamp });
    }
  };
  press(1, 0xffff_ff00);
  press(11, 4000);
  await vi.waitFor(() => expect(ear.digits.length).toBe(2));
  await wait(300);
  expect(ear.digits).toEqual([
    { digit: '1', duration: 80 },
    { digit: '#', duration: 80 },
  ]);
  expect(ear.packets).toBe(0);
});

test('a press whose end is lost is told after a moment', async () => {
  const { ear, phone, port } = await call();
  phone.sendAt(port, { payload: Buffer.from([9, 10, 1, 64]), type: 96, timestamp: 0 });
  await vi.waitFor(() => expect(ear.digits).toEqual([{ digit: '9', duration: 40 }]));
});

test('on hold nothing is sent or heard, what is queued waits, and the watchdog is told to', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  cleanups.push(every20ms(() => phone.send(port, ulawTone(440, 20))));
  await vi.waitFor(() => expect(ear.packets).toBeGreaterThan(2));
  const answer = line.answer(phone.offer('a=sendonly'));
  expect(answer).toContain('a=recvonly');
  expect(line.isHeld).toBe(true);
  line.play(ulawTone(700, 400));
  await wait(60);
  const sent = phone.received.length;
  ear.forget();
  await wait(400);
  expect([phone.received.length - sent, ear.packets, line.playedBytes]).toEqual([0, 0, 0]);
  expect(performance.now() - line.lastAudioAt).toBeLessThan(5);

  line.answer(phone.offer('a=sendrecv'));
  expect(line.isHeld).toBe(false);
  await wait(300);
  expect(ear.packets).toBeGreaterThan(8);
  const resumed = phone.received.slice(sent);
  expect(resumed[0]?.hasMarker).toBe(true);
  // The hold is in the timestamps.
  const gap = (resumed[0]!.timestamp - phone.received[sent - 1]!.timestamp) >>> 0;
  expect(gap).toBeGreaterThan(400 * 8);
  expect((resumed[0]!.sequence - phone.received[sent - 1]!.sequence) & 0xffff).toBe(1);
  expect(ulawShare(Buffer.concat(resumed.slice(0, 10).map((p) => p.payload)), 700)).toBeGreaterThan(
    0.95,
  );
});

test('a re-offer moves the audio to another address and another law, unheard by the conversation', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  const other = await peer();
  cleanups.push(every20ms(() => other.send(port, Buffer.alloc(160, 0xaa), 8)));
  line.play(ulawTone(440, 4000));
  await wait(200);
  line.answer(offerOf({ port: other.port, formats: '8', lines: ['a=ptime:40'] }));
  await wait(500);
  expect(line.format).toBe('pcmu');
  const before = phone.received.length;
  await wait(200);
  expect(phone.received.length).toBe(before);
  const packet = other.received.at(-1)!;
  expect([packet.payloadType, packet.payload.length]).toEqual([8, 320]);
  // A-law 0xaa is µ-law 0x80, the loudest positive sample of both.
  expect(ear.audio.at(-1)).toBe(0x80);
});

test('RTCP goes to the next port and back, with the round trip and BYE at the end', async () => {
  const a = await endpoint();
  const b = await endpoint();
  connect(a.endpoint, b.endpoint);
  await vi.waitFor(() => expect(a.endpoint.stats().remote?.roundTripMs).toBeDefined(), 20_000);
  expect(a.endpoint.stats().remote).toMatchObject({ lost: 0 });
  expect(a.endpoint.stats().remote!.roundTripMs).toBeLessThan(1000);
}, 25_000);

test('RTCP shares the port when the peer offers it, and says BYE', async () => {
  const { endpoint: line, phone, port } = await call('a=rtcp-mux');
  await vi.waitFor(() => expect(phone.raw.some((packet) => packet[1] === 200)).toBe(true), {
    timeout: 5000,
  });
  const report = phone.raw.find((packet) => packet[1] === 200)!;
  expect(report.readUInt32BE(4)).toBe(phone.received[0]?.ssrc);
  // A receiver report of the peer: no block, valid.
  phone.sendRaw(port, Buffer.from('80c9000100005eed', 'hex'));
  await wait(50);
  expect(line.stats().malformed).toBe(0);
  await line.close();
  await vi.waitFor(() => expect(phone.raw.at(-1)!.subarray(-8, -6).toString('hex')).toBe('81cb'));
});

test('an echo that stalls for 100 ms falls back to its former delay', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  ear.onHeard = (audio) => line.play(audio);
  const sentAt = new Map<number, number>();
  const delays: { at: number; delay: number }[] = [];
  let isStalled = false;
  const backlog: (() => void)[] = [];
  const start = performance.now();
  cleanups.push(
    every20ms((index) => {
      // The frame's number is in its bytes, so that the echo can be told.
      const mark = 1 + (index % 100);
      const send = () => phone.send(port, Buffer.alloc(160, mark));
      sentAt.set(mark, performance.now());
      if (isStalled) backlog.push(send);
      else for (const task of [...backlog.splice(0), send]) task();
    }),
  );
  const seen = { count: 0 };
  const read = setInterval(() => {
    for (const packet of phone.received.slice(seen.count)) {
      const at = sentAt.get(packet.payload[0] ?? 0);
      if (at !== undefined && packet.payload[0] !== 0xff)
        delays.push({ at: packet.at - start, delay: packet.at - at });
    }
    seen.count = phone.received.length;
  }, 50);
  cleanups.push(() => clearInterval(read));
  const delaysOf = (from: number, to: number) =>
    delays
      .filter(({ at }) => at >= from && at < to)
      .map(({ delay }) => delay)
      .toSorted((a, b) => a - b);
  const median = (from: number, to: number) => {
    const sorted = delaysOf(from, to);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  await wait(1000);
  isStalled = true;
  await wait(110);
  isStalled = false;
  await wait(3900);
  const before = median(300, 1000);
  expect(delaysOf(1110, 1600).at(-1)! - before).toBeGreaterThan(60);
  expect(median(3500, 4900) - before).toBeLessThan(25);
});

test('a recording has the caller on the left and the agent on the right', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recording-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'call.wav');
  const { endpoint: line, phone, port } = await call();
  const begun = performance.now();
  line.record(file);
  line.play(ulawTone(1000, 3000));
  const caller = ulawTone(440, 20 * 200);
  const stop = every20ms((index) =>
    phone.send(port, caller.subarray(index * 160, index * 160 + 160)),
  );
  await wait(2000);
  stop();
  // What is on disk while the call goes on is whole already.
  const half = await readFile(file);
  expect(half.length).toBe(44 + half.readUInt32LE(40));
  const took = performance.now() - begun;
  await line.close();
  expect((await stat(file)).mode & 0o007).toBe(0);
  const wav = await readFile(file);
  expect(wav.length).toBe(44 + wav.readUInt32LE(40));
  const frames = (wav.length - 44) / 4;
  expect(Math.abs(frames / 8 - took)).toBeLessThan(200);
  const channel = (offset: number) =>
    Int16Array.from({ length: 8000 }, (_, index) =>
      wav.readInt16LE(44 + (4000 + index) * 4 + offset),
    );
  expect(toneShare(channel(0), 440)).toBeGreaterThan(0.9);
  expect(toneShare(channel(2), 1000)).toBeGreaterThan(0.95);
});

test('a recording that cannot be written does not disturb the call', async () => {
  const { endpoint: line, phone } = await call();
  line.record('/nowhere/at/all.wav');
  await wait(300);
  expect(phone.received.length).toBeGreaterThan(10);
  await line.close();
});

test('comfort noise keeps the watchdog quiet', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  await wait(300);
  expect(performance.now() - line.lastAudioAt).toBeGreaterThan(250);
  phone.send(port, Buffer.from([40]), 13);
  await vi.waitFor(() => expect(line.stats().packetsIn).toBe(1));
  expect(performance.now() - line.lastAudioAt).toBeLessThan(150);
  expect(ear.packets).toBe(0);
});

test('garbage of all sizes is counted and dropped', async () => {
  const { endpoint: line, ear, phone, port } = await call();
  for (let size = 0; size < 64; size++) phone.sendRaw(port, Buffer.alloc(size, 0xb7));
  for (let size = 0; size < 64; size++) phone.sendRaw(port + 1, Buffer.alloc(size, 0x81));
  await vi.waitFor(() => expect(line.stats().malformed).toBe(128));
  phone.send(port, ulawTone(440, 20));
  await vi.waitFor(() => expect(ear.packets).toBe(1));
});
