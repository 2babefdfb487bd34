import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pause, Rig, system } from './rig.ts';

/** No descriptor is left for the process. */

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});

afterEach(async () => {
  await rig.close();
});

/** The soft limit of what may be open. */
function limit(count: number): void {
  system('prlimit', '--pid', String(rig.pid), `--nofile=${count}:`);
}

test('without descriptors calls go on, new ones are refused, and all is well when there are some', async () => {
  const callers = [await rig.talk(), await rig.talk()];
  // Keep-alive connections of what was asked before would free some in the middle of it.
  await pause(200);
  limit(rig.descriptors());
  const logged = rig.log.length;
  const refused = await rig.call({ patience: 5000 });
  expect([500, 503]).toContain(refused.status);
  expect(refused.answer).toMatch(/^Retry-After:/im);
  // Peers that knock all the time must not make the process spin, nor fill its log.
  const knocks = Array.from({ length: 20 }, () => connect(rig.tcpPort, '127.0.0.1'));
  for (const socket of knocks) socket.on('error', () => undefined);
  await pause(500);
  const busy = rig.busy();
  await pause(2000);
  expect(rig.busy() - busy).toBeLessThan(1000);
  expect(rig.log.length - logged).toBeLessThan(30);
  for (const caller of callers) {
    expect(caller.isUp).toBe(true);
    expect(caller.heardWithin(1000)).toBeGreaterThan(40);
  }
  for (const socket of knocks) socket.destroy();
  limit(1024);
  await pause(200);
  const next = await rig.talk();
  const socket = connect(rig.tcpPort, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  expect((await rig.ask('/healthz')).status).toBe(200);
  for (const caller of [...callers, next]) expect(await caller.hangUp()).toBe(200);
  expect(rig.said).toEqual([]);
});
