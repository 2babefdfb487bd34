import { expect, test } from 'vitest';
import { StereoRecorder } from './recorder.ts';
import { wavHeader } from './wav.ts';

const loud = 0x80;
const silence = 0xff;

function recorder() {
  const chunks: Buffer[] = [];
  const recording = new StereoRecorder(
    { write: (samples) => void chunks.push(samples), close: () => Promise.resolve() },
    'pcmu',
  );
  return {
    recording,
    /** For each 20 ms: what is heard in the left and the right channel. */
    framesOf: async (): Promise<string[]> => {
      await recording.close();
      const data = Buffer.concat(chunks);
      return Array.from({ length: data.length / 640 }, (_, frame) => {
        const at = frame * 640 + 320;
        return `${data.readInt16LE(at) === 0 ? '-' : 'c'}${data.readInt16LE(at + 2) === 0 ? '-' : 'a'}`;
      });
    },
  };
}

const times = (count: number, what: string) => Array.from({ length: count }, () => what);
const frame = (byte: number) => Buffer.alloc(160, byte);

test('caller and agent stand side by side when they spoke at one time', async () => {
  const { recording, framesOf } = recorder();
  for (let index = 0; index < 20; index++) {
    const speaks = index >= 5 && index < 10;
    recording.agent(frame(speaks ? loud : silence));
    recording.caller(frame(speaks ? loud : silence), 1000 + index * 160);
  }
  const heard = await framesOf();
  expect(heard.slice(0, 20)).toEqual([...times(5, '--'), ...times(5, 'ca'), ...times(10, '--')]);
});

test('late, lost and reordered packets do not shift what follows', async () => {
  const { recording, framesOf } = recorder();
  const arrivals = [[0], [1], [], [3, 2], [], [], [7, 6], [8]];
  for (const packets of arrivals) {
    recording.agent(frame(silence));
    for (const packet of packets) recording.caller(frame(loud), 0xffff_ff00 + packet * 160);
  }
  expect((await framesOf()).slice(0, 8)).toEqual(['c-', 'c-', 'c-', 'c-', '--', '--', 'c-', 'c-']);
});

test('a caller whose timestamps jump is placed where he is heard', async () => {
  const { recording, framesOf } = recorder();
  for (let index = 0; index < 10; index++) {
    recording.agent(frame(silence));
    const isAfter = index >= 5;
    recording.caller(
      frame(isAfter ? loud : silence),
      isAfter ? 7_000_000 + index * 160 : index * 160,
    );
  }
  expect((await framesOf()).slice(0, 10)).toEqual([...times(5, '--'), ...times(5, 'c-')]);
});

test('time without frames is silence of that length', async () => {
  const { recording, framesOf } = recorder();
  recording.agent(frame(loud));
  recording.pass(20 * 500);
  recording.agent(frame(loud));
  const heard = await framesOf();
  expect([heard[0], heard[501], heard.indexOf('-a', 1), heard.length]).toEqual([
    '-a',
    '-a',
    501,
    502,
  ]);
});

test('the header says what follows', () => {
  const header = wavHeader({ channels: 2, sampleRateHz: 8000 }, 32_000);
  expect(header.toString('latin1', 0, 4) + header.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
  expect([
    header.readUInt32LE(4),
    header.readUInt16LE(20),
    header.readUInt16LE(22),
    header.readUInt32LE(24),
    header.readUInt32LE(28),
    header.readUInt16LE(32),
    header.readUInt16LE(34),
    header.readUInt32LE(40),
  ]).toEqual([32_036, 1, 2, 8000, 32_000, 4, 16, 32_000]);
});
