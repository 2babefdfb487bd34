import { systemClock } from '@parley/connector/base/clock';
import { silentLog } from '@parley/connector/base/log';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cachesOf, createVoiceAgentCaches } from '../../src/controllers/voice-agent/caches.ts';
import { createVoiceAgentController } from '../../src/controllers/voice-agent/controller.ts';
import { httpPodClient } from '../../src/controllers/voice-agent/pod-client.ts';
import { PodReports } from '../../src/controllers/voice-agent/pod-reports.ts';
import { WrittenPods } from '../../src/controllers/voice-agent/written-pods.ts';
import { fencedClient } from '../../src/kube/fenced-client.ts';
import { until } from '../support/api-server.ts';
import { Agent, type Site, startOperator, startSite } from './site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite(['n1', 'n2', 'n3']);
}, 60_000);

afterAll(() => site.stop());

/** An operator that dies after so many writes; resolves when it has. */
async function startMortal(namespace: string, writes: number) {
  const died = Promise.withResolvers<void>();
  let left = writes;
  const mayWrite = () => {
    left -= 1;
    if (left < 0) died.resolve();
    return left >= 0;
  };
  const clock = systemClock;
  const log = silentLog;
  const { client } = site;
  const caches = createVoiceAgentCaches({
    client,
    namespaces: [namespace],
    clock,
    random: Math.random,
    log,
  });
  const all = cachesOf(caches);
  for (const cache of all) cache.start();
  await Promise.all(all.map((cache) => cache.whenSynced()));
  const controller = createVoiceAgentController({
    client: fencedClient(client, mayWrite),
    caches,
    reports: new PodReports({ client: httpPodClient, clock, log }),
    written: new WrittenPods(clock),
    events: { record: () => undefined, close: () => Promise.resolve() },
    settings: { image: 'connector:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
    makeToken: () => 't'.repeat(40),
    clock,
    log,
  });
  controller.start();
  return {
    died: died.promise,
    stop: async () => {
      await controller.stop();
      for (const cache of all) await cache.stop();
    },
  };
}

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'after %i writes another operator goes on to the same end',
  async (writes) => {
    const agent = new Agent(site.client, await site.server.createNamespace());
    await agent.setSecret('openai', { key: 'sk-1' });
    await agent.create({ replicas: 2 });
    const mortal = await startMortal(agent.namespace, writes);
    await mortal.died;
    await mortal.stop();
    const next = await startOperator(site, [agent.namespace]);
    try {
      await agent.isCondition('Ready', 'True');
      await agent.hasPods(2);
      const names = await agent.podNames();
      expect(new Set(names).size).toBe(2);
    } finally {
      await next.stop();
      await agent.removePods();
    }
  },
);

test.each([0, 1, 2, 3])(
  'after %i writes of a roll-out and scale-down another operator goes on',
  async (writes) => {
    const agent = new Agent(site.client, await site.server.createNamespace());
    await agent.setSecret('openai', { key: 'sk-1' });
    await agent.create({ replicas: 2 });
    const first = await startOperator(site, [agent.namespace]);
    await agent.isCondition('Ready', 'True');
    await first.stop();
    const old = await agent.podNames();
    site.nodes.connector(old[0]!).activeCalls = 1;
    await agent.change({
      replicas: 1,
      greeting: 'Hello.',
      pod: { annotations: { 'a.com/b': '1' } },
    });
    const mortal = await startMortal(agent.namespace, writes);
    await mortal.died;
    await mortal.stop();
    const next = await startOperator(site, [agent.namespace]);
    try {
      await until('the pod with a call to be the only old one', 15_000, async () => {
        const names = await agent.podNames();
        return names.includes(old[0]!) && !names.includes(old[1]!) && names.length === 2;
      });
      site.nodes.connector(old[0]!).activeCalls = 0;
      await agent.hasPods(1);
      expect(old).not.toContain((await agent.podNames())[0]);
    } finally {
      await next.stop();
      await agent.removePods();
    }
  },
);
