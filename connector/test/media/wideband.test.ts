import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createDecoder, createEncoder } from '../../src/media/audio/codecs.ts';
import { loadOpus } from '../../src/media/audio/opus.ts';
import { bytesOf, samplesOf } from '../../src/media/audio/pcm.ts';
import { amplitudeOf } from '../support/goertzel.ts';
import { audioPort, Ear, every20ms, mediaPlane, offerOf, RtpPeer } from './peer.ts';

/** Tones through an endpoint whose conversation echoes what it hears, in 24 kHz. */

const plane = mediaPlane(700, 100);
const cleanups: (() => unknown)[] = [];
const { library: opus } = loadOpus();
const format = 'pcm24k';
const frequencies = [300, 1000, 3000, 6000];
const amplitude = 4000;

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const wires = {
  G722: { formats: '9 96', lines: [], type: 9, step: 160 },
  OPUS: {
    formats: '107 101 96',
    lines: [
      'a=rtpmap:107 opus/48000/2',
      'a=fmtp:107 useinbandfec=1',
      'a=rtpmap:101 telephone-event/48000',
    ],
    type: 107,
    step: 960,
  },
} as const;

type Wire = keyof typeof wires;

function chordFrame(frame: number): Buffer {
  const samples = Int16Array.from({ length: 480 }, (_, n) =>
    Math.round(
      frequencies.reduce(
        (sum, hertz) =>
          sum + amplitude * Math.sin((2 * Math.PI * hertz * (frame * 480 + n)) / 24_000),
        0,
      ),
    ),
  );
  return bytesOf(samples);
}

async function call(codec: Wire) {
  const { formats, lines } = wires[codec];
  const peer = await RtpPeer.open();
  const line = await plane.createEndpoint({
    id: 'test',
    codecs: ['OPUS', 'G722', 'PCMU'],
    formats: ['pcmu', 'pcma', format],
  });
  const ear = new Ear();
  ear.onHeard = (audio) => line.play(audio);
  line.setListener(ear);
  cleanups.push(
    () => peer.close(),
    () => line.close(),
  );
  const answer = line.answer(offerOf({ port: peer.port, formats, lines }));
  line.start();
  return { peer, line, ear, answer, port: audioPort(answer) };
}

/** Sends the chord every 20 ms by the codec; frames for which `isLost` are encoded but not sent. */
function singing(
  codec: Wire,
  to: {
    readonly peer: RtpPeer;
    readonly port: number;
    readonly isLost?: (frame: number) => boolean;
  },
): () => void {
  const encoder = createEncoder({ codec, format, opus });
  const { type, step } = wires[codec];
  const { peer, port, isLost: isMissing = () => false } = to;
  return every20ms((frame) => {
    const payload = Buffer.from(encoder.encode(chordFrame(frame)));
    if (isMissing(frame)) peer.sequence = (peer.sequence + 1) & 0xffff;
    else peer.sendAt(port, { payload, type, timestamp: peer.timestamp });
    peer.timestamp = (peer.timestamp + step) % 0x1_0000_0000;
  });
}

function isLost(frame: number): boolean {
  return frame % 10 === 7;
}

function heardBy(peer: RtpPeer, codec: Wire): Int16Array {
  const decoder = createDecoder({ codec, format, opus });
  const { type } = wires[codec];
  const packets = peer.received.filter(({ payloadType }) => payloadType === type);
  return samplesOf(Buffer.concat(packets.map(({ payload }) => decoder.decode(payload))));
}

/**
 * Every tone within 1.5 dB. Judged by the middle one of pieces of 100 ms: a frame that a busy machine sent
 * late turns the phase, which nobody hears but which cancels a long sum.
 */
function expectWhole(samples: Int16Array): void {
  const size = 2400;
  for (const frequencyHz of frequencies) {
    const pieces = Array.from({ length: Math.floor(samples.length / size) }, (_, n) =>
      amplitudeOf(samples.subarray(n * size, (n + 1) * size), {
        frequencyHz,
        sampleRateHz: 24_000,
      }),
    ).toSorted((one, other) => one - other);
    const middle = pieces[Math.floor(pieces.length / 2)] ?? 0;
    expect(Math.abs(20 * Math.log10(middle / amplitude))).toBeLessThan(1.5);
  }
}

test.each(['G722', 'OPUS'] as const)('%s carries the treble there and back', async (codec) => {
  const { peer, line, ear, port } = await call(codec);
  expect([line.codec, line.format]).toEqual([codec, format]);
  cleanups.push(singing(codec, { peer, port }));
  await wait(1500);
  expectWhole(samplesOf(ear.audio).slice(12_000, 24_000));
  expectWhole(heardBy(peer, codec).slice(-14_400, -2400));
  const { type, step } = wires[codec];
  const sent = peer.received.filter(({ payloadType }) => payloadType === type);
  const [before, last] = sent.slice(-2);
  expect(((last?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).toBe(step);
});

test('lost Opus packets leave neither a gap in time nor a click', async () => {
  const { peer, line, ear, port } = await call('OPUS');
  const stop = singing('OPUS', { peer, port, isLost });
  await wait(1500);
  stop();
  expect(line.stats().concealed).toBeGreaterThanOrEqual(100);
  const samples = samplesOf(ear.audio).slice(4800, 28_800);
  // Four sines of 4000: no two samples of theirs are further apart than this.
  const steepest = frequencies.reduce(
    (sum, hertz) => sum + 2 * amplitude * Math.sin((Math.PI * hertz) / 24_000),
    0,
  );
  const steps = samples.slice(1).map((sample, n) => Math.abs(sample - (samples[n] ?? 0)));
  expect(steps.reduce((most, step) => Math.max(most, step), 0)).toBeLessThan(1.5 * steepest);
});

test('keys come at the clock of Opus', async () => {
  const { peer, ear, port, answer } = await call('OPUS');
  expect(answer).toContain('a=rtpmap:107 opus/48000/2');
  expect(answer).toContain('a=rtpmap:101 telephone-event/48000');
  for (const steps of [1, 2, 3, 4, 5]) {
    const payload = Buffer.from([5, steps === 5 ? 0x8a : 10, 0, 0]);
    payload.writeUInt16BE(steps * 960, 2);
    peer.sendAt(port, { payload, type: 101, timestamp: 96_000 });
  }
  await expect.poll(() => ear.digits).toEqual([{ digit: '5', duration: 100 }]);
});

test('a re-offer changes the codec of the wire, not the format of the conversation', async () => {
  const { peer, line, ear, port } = await call('OPUS');
  const stop = singing('OPUS', { peer, port });
  await wait(400);
  stop();
  line.answer(offerOf({ port: peer.port, formats: wires.G722.formats, lines: wires.G722.lines }));
  expect([line.codec, line.format]).toEqual(['G722', format]);
  ear.forget();
  cleanups.push(singing('G722', { peer, port }));
  await wait(1300);
  expectWhole(samplesOf(ear.audio).slice(9600, 21_600));
  expectWhole(heardBy(peer, 'G722').slice(-14_400, -2400));
});

test.each(['G722', 'OPUS'] as const)(
  'a call by %s is recorded at the rate of the line',
  async (codec) => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-wideband-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const { peer, line, port } = await call(codec);
    const file = join(folder, 'call.wav');
    line.record(file);
    cleanups.push(singing(codec, { peer, port }));
    await wait(1500);
    await line.close();
    const wav = await readFile(file);
    expect([wav.readUInt16LE(22), wav.readUInt32LE(24)]).toEqual([2, 24_000]);
    const stereo = samplesOf(wav.subarray(44));
    for (const side of [0, 1])
      expectWhole(stereo.filter((_, n) => n % 2 === side).slice(16_800, 26_400));
  },
);
