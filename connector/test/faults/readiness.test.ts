import { afterEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig | undefined;

afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const local = { intents: [{ name: 'hi', phrases: ['hello'], reply: 'Hello.' }] };

test('a pod whose local engines are not loaded is not ready', async () => {
  rig = await Rig.start({ agent: { providers: [{ local }] } });
  const seen: { status: number; isLoaded: boolean }[] = [];
  const look = async () => {
    const { status } = await rig!.ask('/readyz');
    const isLoaded = rig!.lines('local engines ready').length > 0;
    seen.push({ status, isLoaded });
    return status;
  };
  await expect.poll(look, { timeout: 20_000, interval: 20 }).toBe(200);
  expect(seen.every(({ status, isLoaded }) => status === 503 || isLoaded)).toBe(true);
  expect(seen[0]?.status).toBe(503);
});

test('a pod whose provider is far away and silent is ready all the same', async () => {
  rig = await Rig.start({ simulator: { openDelay: Number.POSITIVE_INFINITY } });
  expect((await rig.ask('/readyz')).status).toBe(200);
});
