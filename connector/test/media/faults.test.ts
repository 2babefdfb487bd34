import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { MediaPlane } from '../../src/media/media-plane.ts';
import { audioPort, Ear, every20ms, offerOf, RtpPeer, ulawShare, ulawTone } from './peer.ts';

// What networks, gateways and phones do to the audio of a call, with sockets and sound.

const cleanups: (() => unknown)[] = [];

// Our own counters start just below their ends, as the peer's do.
const plane = new MediaPlane({
  address: '127.0.0.1',
  ports: { min: 28_600, max: 28_799 },
  clock: systemClock,
  random: () => 1 - 2 ** -20,
  log: silentLog,
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function call(offered?: (phone: RtpPeer) => string) {
  const phone = await RtpPeer.open();
  cleanups.push(() => phone.close());
  const line = await plane.createEndpoint({ id: 'test', codecs: ['PCMU', 'PCMA'] });
  cleanups.push(() => line.close());
  const ear = new Ear();
  line.setListener(ear);
  const port = audioPort(line.answer(offered?.(phone) ?? phone.offer()));
  return { phone, line, ear, port };
}

const sound = ulawTone(440, 4000);

/** Sends the sound's frames of `ms` each, all that `pick` lets through. */
async function speak(
  { phone, port }: { phone: RtpPeer; port: number },
  { frames, ms, skip = () => false }: { frames: number; ms: number; skip?: (n: number) => boolean },
): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    const payload = sound.subarray(frame * ms * 8, (frame + 1) * ms * 8);
    if (skip(frame)) {
      phone.sequence = (phone.sequence + 1) % 0x1_0000;
      phone.timestamp = (phone.timestamp + payload.length) % 0x1_0000_0000;
    } else phone.send(port, payload);
    await wait(ms);
  }
}

test('another packet time and another source within the call are heard without a gap', async () => {
  const made = await call();
  made.line.start();
  for (const ms of [20, 30, 60, 10]) await speak(made, { frames: 240 / ms, ms });
  made.phone.ssrc = 0xbeef;
  made.phone.sequence = 7;
  made.phone.timestamp = 99;
  await speak(made, { frames: 12, ms: 20 });
  await wait(100);
  const said = Array.from({ length: 5 }, () => sound.subarray(0, 240 * 8));
  expect(made.ear.audio.equals(Buffer.concat(said))).toBe(true);
  expect(made.line.stats()).toMatchObject({ lost: 0, late: 0, concealed: 0 });
});

test('lost packets are made up for: as much is heard as was said', async () => {
  const made = await call();
  made.line.start();
  await speak(made, { frames: 50, ms: 20, skip: (frame) => frame % 10 === 5 });
  await wait(150);
  expect(made.ear.audio).toHaveLength(50 * 160);
  expect(ulawShare(made.ear.audio, 440)).toBeGreaterThan(0.7);
  const { lost, concealed, quality } = made.line.stats();
  expect([lost, concealed, quality.received.lossPercent]).toEqual([5, 100, 10]);
  expect(quality.received.mos).toBeLessThan(4);
});

test('what is said before our 200 is confirmed is heard', async () => {
  const made = await call();
  await speak(made, { frames: 10, ms: 20 });
  made.line.start();
  await speak(made, { frames: 5, ms: 20 });
  await vi.waitFor(() => expect(made.ear.audio).toHaveLength(15 * 160));
});

test('both directions run over the ends of their counters', async () => {
  const made = await call();
  made.line.play(ulawTone(700, 2000));
  made.line.start();
  await speak(made, { frames: 60, ms: 20 });
  await wait(100);
  const sequences = made.phone.received.map(({ sequence }) => sequence);
  expect(sequences.at(0)).toBe(65_535);
  expect(sequences.every((value, index) => value === ((65_535 + index) & 0xffff))).toBe(true);
  const times = made.phone.received.map(({ timestamp }) => timestamp);
  expect(times.some((value, index) => index > 0 && value < (times[index - 1] ?? 0))).toBe(true);
  const heard = Buffer.concat(made.phone.received.map(({ payload }) => payload));
  expect(ulawShare(heard.subarray(1600, 8000), 700)).toBeGreaterThan(0.95);
  expect(made.ear.audio).toHaveLength(60 * 160);
});

const pressed = (event: number, units: number, isEnd = false) =>
  Buffer.from([event, (isEnd ? 0x80 : 0) | 10, units >> 8, units & 0xff]);

test('a key whose ends are all lost comes once', async () => {
  const { phone, line, ear, port } = await call();
  line.start();
  for (let packet = 1; packet <= 4; packet++) {
    phone.sendAt(port, { payload: pressed(7, packet * 160), type: 96, timestamp: 5000 });
    await wait(20);
  }
  await wait(400);
  expect(ear.digits).toEqual([{ digit: '7', duration: 80 }]);
});

test('a storm of packets of one key is one key, and audio goes on', async () => {
  const { phone, line, ear, port } = await call();
  line.start();
  for (let packet = 0; packet < 2000; packet++) {
    phone.sendAt(port, { payload: pressed(3, 800, true), type: 96, timestamp: 5000 });
    if (packet % 50 === 0) await wait(1);
  }
  phone.timestamp = 8000;
  await speak({ phone, port }, { frames: 10, ms: 20 });
  await wait(150);
  expect(ear.digits).toEqual([{ digit: '3', duration: 100 }]);
  expect(ear.audio).toHaveLength(10 * 160);
});

test('keys that we press are read by a peer, audio waits, and the stream has no hole', async () => {
  const { phone, line } = await call();
  line.start();
  await wait(100);
  line.play(ulawTone(700, 400));
  expect(line.sendDigits('1#')).toBe(true);
  await wait(1500);
  const events = phone.received.filter(({ payloadType }) => payloadType === 96);
  const presses = new Map(events.map(({ timestamp, payload }) => [timestamp, payload[0]]));
  expect([...presses.values()]).toEqual([1, 11]);
  for (const timestamp of presses.keys()) {
    const press = events.filter((packet) => packet.timestamp === timestamp);
    expect(press.map(({ hasMarker }) => hasMarker)).toEqual(press.map((_, index) => index === 0));
    const ends = press.filter(({ payload }) => ((payload[1] ?? 0) & 0x80) !== 0);
    expect(ends).toHaveLength(3);
    expect(ends.map(({ payload }) => payload.readUInt16BE(2))).toEqual([800, 800, 800]);
  }
  const [first, second] = presses.keys();
  expect(((second ?? 0) - (first ?? 0)) >>> 0).toBeGreaterThanOrEqual((100 + 40) * 8);
  const sequences = phone.received.map(({ sequence }) => sequence);
  const start = sequences[0] ?? 0;
  expect(sequences.every((value, index) => value === ((start + index) & 0xffff))).toBe(true);
  const audio = phone.received.filter(({ payloadType }) => payloadType === 0);
  const loud = audio.filter(({ payload }) => payload.some((byte) => byte !== 0xff));
  expect(loud).toHaveLength(20);
});

test('keys go from one endpoint to another; without events, or on hold, they are refused', async () => {
  const { line: callee } = await call();
  const ear = new Ear();
  callee.setListener(ear);
  const caller = await plane.createEndpoint({ id: 'caller', codecs: ['PCMU'] });
  cleanups.push(() => caller.close());
  caller.accept(callee.answer(caller.offer()));
  expect(caller.sendDigits('5')).toBe(false);
  caller.start();
  callee.start();
  expect(caller.sendDigits('5x')).toBe(false);
  expect(caller.sendDigits('0*D')).toBe(true);
  await vi.waitFor(() => expect(ear.digits.map(({ digit }) => digit).join('')).toBe('0*D'), 3000);
  const plain = await call((phone) => phone.offer().replaceAll(/ 96$|a=rtpmap:96.*\r\n/gm, ''));
  plain.line.start();
  expect(plain.line.sendDigits('5')).toBe(false);
  const held = await call((phone) => phone.offer('a=sendonly'));
  held.line.start();
  expect(held.line.sendDigits('5')).toBe(false);
});

test('a peer that leaves pauses (DTX) loses nothing', async () => {
  const made = await call();
  made.line.start();
  await speak(made, { frames: 5, ms: 20 });
  made.phone.timestamp = (made.phone.timestamp + 300 * 8) % 0x1_0000_0000;
  const stop = every20ms((index) => {
    if (index < 5) made.phone.send(made.port, sound.subarray(0, 160));
  });
  await wait(250);
  stop();
  expect(made.ear.audio).toHaveLength(10 * 160);
  expect(made.line.stats()).toMatchObject({ lost: 0, concealed: 0 });
});

test('a stream that stops becomes silence until it goes on, and none on hold', async () => {
  const made = await call();
  made.line.start();
  await speak(made, { frames: 5, ms: 20 });
  expect(made.ear.absent).toBe(0);
  await wait(500);
  // 500 ms and the last frame's 20, less the 220 after which a stream is absent.
  expect(made.ear.absent).toBeGreaterThanOrEqual(12);
  expect(made.ear.absent).toBeLessThanOrEqual(18);
  await speak(made, { frames: 5, ms: 20 });
  expect(made.ear.audio).toHaveLength(10 * 160);
  made.line.answer(made.phone.offer('a=sendonly'));
  const { absent } = made.ear;
  await wait(300);
  expect(made.ear.absent).toBe(absent);
});

test('a peer that takes other payload types within the call is heard and sent them', async () => {
  const made = await call();
  made.line.start();
  await speak(made, { frames: 5, ms: 20 });
  await vi.waitFor(() => expect(made.phone.received.at(-1)?.payloadType).toBe(0));
  const lines = ['a=rtpmap:100 PCMU/8000', 'a=rtpmap:101 telephone-event/8000'];
  const offer = offerOf({ port: made.phone.port, formats: '100 101', lines });
  expect(made.line.answer(offer)).toMatch(/^m=audio \d+ RTP\/AVP 100 101\r$/m);
  for (let frame = 0; frame < 5; frame++) {
    made.phone.send(made.port, sound.subarray(0, 160), 100);
    await wait(20);
  }
  await vi.waitFor(() => expect(made.phone.received.at(-1)?.payloadType).toBe(100));
  expect(made.ear.audio).toHaveLength(10 * 160);
  expect(made.line.sendDigits('7')).toBe(true);
  const keys = () => made.phone.received.filter(({ payloadType }) => payloadType === 101);
  await vi.waitFor(() => expect(keys().length).toBeGreaterThan(3));
  expect(new Set(made.phone.received.map(({ ssrc }) => ssrc)).size).toBe(1);
});

test('who waits for keys to be sent is told that they were, or that a hold cut them off', async () => {
  const made = await call();
  made.line.start();
  const ends: boolean[] = [];
  made.line.sendDigits('1', (isComplete) => void ends.push(isComplete));
  await vi.waitFor(() => expect(ends).toEqual([true]));
  made.line.sendDigits('123', (isComplete) => void ends.push(isComplete));
  await wait(60);
  made.line.answer(made.phone.offer('a=sendonly'));
  await vi.waitFor(() => expect(ends).toEqual([true, false]));
});
