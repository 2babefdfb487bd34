import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pause, Rig } from './rig.ts';

/** A wall clock that is set while calls are up; the monotonic one goes on. Needs Debian's libfaketime. */

const library = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find((path) => existsSync(path));

const hour = 3_600_000;
let folder: string;
let rig: Rig;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-clock-'));
  set('+0');
  rig = await Rig.start({
    sip: { sessionExpiresSeconds: 90 },
    env: {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: join(folder, 'offset'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  });
});

afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

function set(offset: string): void {
  writeFileSync(join(folder, 'offset'), `${offset}\n`);
}

test.skipIf(library === undefined).each([
  { way: 'ahead', offset: '+3600', shift: hour },
  { way: 'back', offset: '-3600', shift: -hour },
])('a wall clock that is set an hour $way changes no call', async ({ offset, shift }) => {
  const caller = await rig.talk({
    headers: ['Supported: timer', 'Session-Expires: 90;refresher=uas'],
  });
  const before = caller.heard.at(-1);
  set(offset);
  await pause(4000);
  const { date } = Object.fromEntries((await rig.ask('/healthz')).headers) as { date: string };
  // It has been set indeed.
  expect(Math.abs(Date.parse(date) - Date.now() - shift)).toBeLessThan(60_000);
  expect(caller.isUp).toBe(true);
  expect(caller.heardWithin(1000)).toBeGreaterThan(40);
  // RTP goes on: no jump of its timestamps.
  const after = caller.heard.at(-1);
  if (!before || !after) throw new Error('nothing was heard');
  expect(Math.abs((after.timestamp - before.timestamp) / 8 - (after.at - before.at))).toBeLessThan(
    100,
  );
  expect((await rig.ask('/v1/calls')).status).toBe(200);
  const next = await rig.talk();
  for (const each of [caller, next]) expect(await each.hangUp()).toBe(200);
  await expect.poll(() => rig.lines('call ended').length, { timeout: 3000 }).toBe(2);
  for (const { reason, talked, duration } of rig.lines('call ended')) {
    expect(reason).toBe('caller-hung-up');
    for (const time of [talked, duration]) {
      expect(time).toBeGreaterThan(0);
      expect(time).toBeLessThan(30_000);
    }
  }
  expect(rig.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test.skipIf(library === undefined)('a drain lasts as long as was said', async () => {
  await rig.talk();
  process.kill(rig.pid, 'SIGTERM');
  await expect.poll(() => rig.lines('draining').length, { timeout: 3000 }).toBe(1);
  set('+7200');
  await pause(2000);
  expect(rig.hasEnded).toBe(false);
  process.kill(rig.pid, 'SIGTERM');
  expect(await rig.ended).toBe(0);
});
