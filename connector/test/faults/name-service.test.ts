import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig, type RigOptions } from './rig.ts';

/** A name server that takes every question and answers none. */

const address = '127.0.0.53';
const isRoot = process.getuid?.() === 0;
let folder: string;
let server: Socket;
let rig: Rig | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-names-'));
  writeFileSync(join(folder, 'resolv.conf'), `nameserver ${address}\n`);
  server = createSocket('udp4').bind(53, address);
  if (isRoot) await once(server, 'listening');
});

afterEach(async () => {
  await rig?.close();
  rig = undefined;
  server.close();
  rmSync(folder, { recursive: true });
});

async function start(options: RigOptions): Promise<Rig> {
  const script = `mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf; exec "$@"`;
  rig = await Rig.start({ wrap: ['unshare', '--mount', 'sh', '-c', script, 'sh'], ...options });
  return rig;
}

const nowhere = { openai: { url: 'ws://nowhere.example/v1' } };

async function place(of: Rig, to: string): Promise<string> {
  const answer = await of.ask('/v1/calls', { method: 'POST', body: JSON.stringify({ to }) });
  const { id } = (await answer.json()) as { id: string };
  return id;
}

async function terminationOf(of: Rig, id: string): Promise<object | undefined> {
  const call = (await (await of.ask(`/v1/calls/${id}`)).json()) as { termination?: object };
  return call.termination;
}

test.skipIf(!isRoot)(
  'without DNS calls go on, a name is given up in time, addresses are called as ever',
  async () => {
    const connector = await start({
      sip: { destinations: ['sip:bob@*'] },
      agent: { recording: { folder: join(folder, 'calls') } },
    });
    const caller = await connector.talk();
    const begun = performance.now();
    const lost = await Promise.all(
      Array.from({ length: 6 }, (_, n) => place(connector, `sip:bob@host${n}.nowhere.example`)),
    );
    const phone = createSocket('udp4').bind(0, '127.0.0.1');
    const invited = once(phone, 'message');
    await once(phone, 'listening');
    await place(connector, `sip:bob@127.0.0.1:${phone.address().port}`);
    expect(String(await invited)).toContain('INVITE sip:bob@127.0.0.1');
    expect(performance.now() - begun).toBeLessThan(2000);
    phone.close();
    for (const id of lost) {
      await expect
        .poll(() => terminationOf(connector, id), { timeout: 15_000, interval: 100 })
        .toEqual({ result: 'rejected', reason: 'callee-refused' });
    }
    expect(performance.now() - begun).toBeLessThan(12_000);
    expect(connector.lines('next hop has no address')).toHaveLength(lost.length);
    expect(caller.isUp).toBe(true);
    expect(caller.heardWithin(1000)).toBeGreaterThan(40);
    expect(await (await connector.talk()).hangUp()).toBe(200);
    expect(await caller.hangUp()).toBe(200);
    expect(connector.lines('recording failed')).toEqual([]);
  },
);

test.skipIf(!isRoot)('a provider whose name is not found gives way to the next', async () => {
  const first = await start({});
  const { url } = first.simulator;
  await first.close();
  const simulator = { port: Number(new URL(url).port) };
  const connector = await start({
    agent: { providers: [nowhere, { openai: { url } }] },
    simulator,
  });
  const caller = await connector.call({ patience: 15_000 });
  expect(caller.status).toBe(200);
  await expect.poll(() => caller.heard.length, { timeout: 3000 }).toBeGreaterThan(20);
  expect(await caller.hangUp()).toBe(200);
});

test.skipIf(!isRoot)('without any provider the caller has an answer in time', async () => {
  const connector = await start({ agent: { providers: [nowhere] } });
  const begun = performance.now();
  const caller = await connector.call({ patience: 15_000 });
  expect(caller.status).toBeGreaterThanOrEqual(200);
  expect(performance.now() - begun).toBeLessThan(8000);
  expect(connector.lines('call ended')[0]).toMatchObject({ reason: 'provider-failed' });
});
