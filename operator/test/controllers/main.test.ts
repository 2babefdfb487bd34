import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leases } from '../../src/kube/kinds.ts';
import { until } from '../support/api-server.ts';
import { Agent, type Site, startSite } from './site.ts';

let site: Site;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  site = await startSite(['n1', 'n2']);
}, 60_000);

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

afterAll(() => site.stop());

const main = resolve(import.meta.dirname, '../../src/main.ts');

function start(name: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      KUBECONFIG: site.server.kubeconfig,
      CONNECTOR_IMAGE: 'connector:1',
      HTTP_LISTEN: '127.0.0.1:0',
      POD_NAME: name,
      POD_NAMESPACE: 'default',
      LOG_LEVEL: 'silent',
      ...env,
    },
  });
  running.add(child);
  return child;
}

async function leader(): Promise<string> {
  const lease = await site.client.find(leases, { namespace: 'default', name: 'parley-operator' });
  return lease?.spec?.holderIdentity?.split('_')[0] ?? '';
}

test('of two operators one works; when it ends the other goes on at once', async () => {
  const agent = new Agent(site.client, await site.server.createNamespace());
  await agent.setSecret('openai', { key: 'sk-1' });
  const first = start('first');
  await until('a leader', 20_000, async () => (await leader()) === 'first');
  start('second');
  await agent.create({ replicas: 1 });
  await agent.isCondition('Ready', 'True');
  first.kill('SIGTERM');
  const [code] = (await once(first, 'exit')) as [number | null];
  expect(code).toBe(0);
  await until('the other to lead', 10_000, async () => (await leader()) === 'second');
  await agent.change({ replicas: 2 });
  await until('a second pod', 10_000, async () => (await agent.pods()).length === 2);
});

test('without an image it does not start, and says why', async () => {
  const child = start('none', { CONNECTOR_IMAGE: '' });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(1);
  expect(said).toContain('CONNECTOR_IMAGE');
});
