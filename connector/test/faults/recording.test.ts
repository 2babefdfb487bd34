import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pause, Rig, system } from './rig.ts';

/** Disks that fill up, vanish or become read-only under a recording. */

let folder: string;
let rig: Rig;
const isRoot = process.getuid?.() === 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-disk-'));
  // Two seconds of recording, 32 000 bytes each, and a little.
  if (isRoot) system('mount', '-t', 'tmpfs', '-o', 'size=72k', 'tmpfs', folder);
  rig = await Rig.start({ agent: { recording: { folder: join(folder, 'calls') } } });
});

afterEach(async () => {
  await rig.close();
  if (isRoot) system('umount', '-l', folder);
  rmSync(folder, { recursive: true, force: true });
});

const failures = () => rig.lines('recording failed');

test.skipIf(!isRoot)(
  'a disk that fills up ends the recording, which is whole up to there, and not the call',
  async () => {
    const caller = await rig.talk();
    await expect.poll(() => failures().length, { timeout: 8000 }).toBe(1);
    await pause(2500);
    expect(caller.isUp).toBe(true);
    expect(caller.heardWithin(1000)).toBeGreaterThan(40);
    const [name = ''] = readdirSync(join(folder, 'calls'));
    const wav = readFileSync(join(folder, 'calls', name));
    expect([wav.toString('latin1', 0, 4), wav.readUInt32LE(4)]).toEqual(['RIFF', wav.length - 8]);
    expect(wav.readUInt32LE(40)).toBe(wav.length - 44);
    expect(wav.readUInt32LE(40)).toBeGreaterThanOrEqual(64_000);
    // Closed already: the descriptor is not kept until the end of the call.
    expect(openFiles()).not.toContain(join(folder, 'calls', name));
    expect(await caller.hangUp()).toBe(200);
    expect(failures()).toHaveLength(1);
    expect(await rig.metric('parley_recordings_failed_total')).toBe(1);
    expect(rig.said).toEqual([]);
  },
);

test('a folder that was removed costs the recording and not the call', async () => {
  rmSync(join(folder, 'calls'), { recursive: true });
  const caller = await rig.talk();
  await pause(1500);
  expect(caller.heardWithin(1000)).toBeGreaterThan(40);
  expect(await caller.hangUp()).toBe(200);
  expect(failures()).toHaveLength(1);
  expect(await rig.metric('parley_recordings_failed_total')).toBe(1);
  mkdirSync(join(folder, 'calls'));
  const next = await rig.talk();
  await pause(1500);
  expect(await next.hangUp()).toBe(200);
  await expect.poll(() => readdirSync(join(folder, 'calls')).length).toBe(1);
  expect(failures()).toHaveLength(1);
});

test.skipIf(!isRoot)(
  'a folder that becomes read-only costs the recording and not the call',
  async () => {
    system('mount', '-o', 'remount,ro', folder);
    const caller = await rig.talk();
    await pause(1500);
    expect(caller.heardWithin(1000)).toBeGreaterThan(40);
    expect(await caller.hangUp()).toBe(200);
    expect(failures()).toHaveLength(1);
    expect(await rig.metric('parley_recordings_failed_total')).toBe(1);
  },
);

function openFiles(): string[] {
  const listed = system('sh', '-c', `readlink /proc/${rig.pid}/fd/* || true`);
  return listed.split('\n');
}
