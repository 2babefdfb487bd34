import { afterEach, expect, test } from 'vitest';
import { pause, Rig, system } from './rig.ts';

/** SIGTERM as Kubernetes sends it: to process 1 of a container, at any time. */

const inContainer = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const isRoot = process.getuid?.() === 0;
let rig: Rig | undefined;

afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** ms until a script of this machine's Node can listen to anything. */
function bootTime(): number {
  const begun = performance.now();
  system('unshare', '--pid', '--fork', process.execPath, '--eval', '');
  return performance.now() - begun;
}

// What the connector loads takes some 500 ms.
test.skipIf(!isRoot).each([50, 150, 250, 400, 600, 1000])(
  'process 1 ends at a SIGTERM that comes %i ms after Node has begun',
  async (delay) => {
    const boot = Math.max(bootTime(), bootTime());
    rig = await Rig.start({ wrap: inContainer, awaitsReady: false });
    await pause(2 * boot + delay);
    process.kill(rig.pid, 'SIGTERM');
    const limit = pause(8000).then(() => 'it still runs');
    expect(await Promise.race([rig.ended, limit])).toBe(0);
    expect(rig.said).toEqual([]);
  },
);

test('a first SIGTERM waits for the calls, a second ends them', async () => {
  rig = await Rig.start();
  const caller = await rig.talk();
  process.kill(rig.pid, 'SIGTERM');
  await pause(1500);
  expect([caller.isUp, rig.hasEnded]).toEqual([true, false]);
  expect(caller.heardWithin(1000)).toBeGreaterThan(40);
  expect((await rig.call()).status).toBe(503);
  const begun = performance.now();
  process.kill(rig.pid, 'SIGTERM');
  expect(await rig.ended).toBe(0);
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(caller.isLeft).toBe(true);
});
