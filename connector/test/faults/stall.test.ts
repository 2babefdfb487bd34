import { afterEach, expect, test } from 'vitest';
import type { Caller } from './caller.ts';
import { pause, Rig, type RigOptions } from './rig.ts';

/** A process that stands still for two seconds: a starved machine, a snapshot, a long pause of the GC. */

let rig: Rig | undefined;

afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function stalled(
  options: RigOptions,
): Promise<{ caller: Caller; before: number; woken: number }> {
  rig = await Rig.start(options);
  const caller = await rig.talk();
  await pause(2000);
  const before = delayOf(caller);
  process.kill(rig.pid, 'SIGSTOP');
  await pause(2000);
  process.kill(rig.pid, 'SIGCONT');
  return { caller, before, woken: performance.now() };
}

/** Arrival of the last packet against its timestamp, ms: what a stream comes later grows it. */
function delayOf({ heard }: Caller): number {
  const last = heard.at(-1);
  return last ? last.at - last.timestamp / 8 : 0;
}

test('after a stall of 2 s the agent is heard again at once, in time and without a burst', async () => {
  const { caller, before, woken } = await stalled({});
  await pause(1500);
  const after = caller.heard.filter(({ at }) => at >= woken);
  expect((after[0]?.at ?? Infinity) - woken).toBeLessThan(300);
  // At most 100 ms of what was missed are made up for.
  expect(after.filter(({ at }) => at < woken + 300).length).toBeLessThan(15 + 8);
  expect(caller.heardWithin(1000)).toBeGreaterThan(45);
  expect(caller.heardWithin(1000)).toBeLessThan(55);
  expect(Math.abs(delayOf(caller) - before)).toBeLessThan(120);
  // Nothing is lost on our side: numbers go on where they were.
  const numbers = caller.heard.map(({ sequence }) => sequence);
  expect(numbers.every((n, i) => i === 0 || n === (((numbers[i - 1] ?? 0) + 1) & 0xffff))).toBe(
    true,
  );
  expect(caller.isUp).toBe(true);
  expect(rig?.simulator.sessions.filter(({ isClosed }) => !isClosed)).toHaveLength(1);
  expect(await caller.hangUp()).toBe(200);
  expect(rig?.lines('call ended')[0]).toMatchObject({ reason: 'caller-hung-up' });
});

test('after a stall of 2 s a conversation has the delay that it had before', async () => {
  const { caller } = await stalled({ agent: { greeting: undefined }, simulator: { isEcho: true } });
  await pause(6000);
  expect(caller.isUp).toBe(true);
  // Each packet says its number: this is the way there and back. 255 is also silence.
  const delays = caller.heard
    .slice(-50)
    .filter(({ payload }) => payload[80] !== 255)
    .map(({ at, payload }) => (at - (caller.sentAt.get(payload[80] ?? 0) ?? 0) + 5120) % 5120)
    .toSorted((one, other) => one - other);
  expect(delays.length).toBeGreaterThan(20);
  expect(delays[delays.length >> 1]).toBeLessThan(400);
  expect(await caller.hangUp()).toBe(200);
});
