import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { podStatusSchema } from '../../src/contract/pod.ts';
import { sipp } from '../support/sipp.ts';
import { askSip, Pod } from './pod.ts';

const scenario = (name: string) =>
  resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);
const soon = { timeout: 3000, interval: 20 };

let pod: Pod;

beforeEach(async () => {
  pod = await Pod.start();
});

afterEach(async () => {
  await pod.close();
});

async function order(method: 'PUT' | 'DELETE') {
  return podStatusSchema.parse(await (await pod.ask('/v1/drain', { method })).json());
}

test('a drained pod refuses what is new and keeps its call; the drain can be taken back', async () => {
  const call = sipp({
    scenario: scenario('call'),
    target: pod.at('udp'),
    flags: '-s pizza -key rtp_port 28320',
  });
  await expect.poll(() => pod.app.activeCalls(), soon).toBe(1);
  expect(await order('PUT')).toMatchObject({ activeCalls: 1, isDraining: true, epoch: 1 });
  expect(await order('PUT')).toMatchObject({ isDraining: true, epoch: 1 });
  const ready = await pod.ask('/readyz');
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { state: 'draining', reason: '1 calls left' },
  ]);
  const refusal = await askSip(pod.at('udp'), 'INVITE');
  expect(refusal).toContain('SIP/2.0 503');
  expect(refusal).toContain('Retry-After: 30');
  expect(await askSip(pod.at('udp'), 'OPTIONS')).toContain('SIP/2.0 503');
  expect((await call).errors).toBe('');
  expect(await pod.status()).toMatchObject({ activeCalls: 0, isDraining: true, epoch: 1 });
  expect(await order('DELETE')).toMatchObject({ isDraining: false, epoch: 2 });
  expect((await pod.ask('/readyz')).status).toBe(200);
  expect(await askSip(pod.at('udp'), 'OPTIONS')).toContain('SIP/2.0 200');
});

test.each([
  { method: 'GET', path: '/v1/status' },
  { method: 'PUT', path: '/v1/drain' },
  { method: 'DELETE', path: '/v1/drain' },
])('$method $path is a 401 with a problem for whoever has no token', async ({ method, path }) => {
  const response = await pod.ask(path, { method, token: 'guess' });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    401,
    expect.stringContaining('application/problem+json'),
  ]);
  expect((await pod.status()).epoch).toBe(0);
});
