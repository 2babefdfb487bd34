import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { configMaps, type Pod, secrets } from '../../src/kube/kinds.ts';
import { until } from '../support/api-server.ts';
import { Agent, type Site, startOperator, startSite } from './site.ts';

let site: Site;
let operator: App;
let agent: Agent;

beforeAll(async () => {
  site = await startSite(['n1', 'n2', 'n3']);
}, 60_000);

afterAll(() => site.stop());

beforeEach(async () => {
  agent = new Agent(site.client, await site.server.createNamespace());
  await agent.setSecret('openai', { key: 'sk-1' });
  operator = await startOperator(site, [agent.namespace]);
});

afterEach(async () => {
  await operator.stop();
  site.nodes.vacate();
  await agent.removePods();
});

const annotation = (pod: Pod | undefined, name: string) =>
  pod?.metadata?.annotations?.[`parley.dev/${name}`];
const nodesOf = (list: readonly Pod[]) => new Set(list.map(({ spec }) => spec?.nodeName));

test('an agent becomes pods on as many nodes, and is Ready when they say so', async () => {
  await agent.create({ replicas: 3 });
  await agent.isCondition('Ready', 'True');
  const list = await agent.pods();
  expect(nodesOf(list)).toEqual(new Set(['n1', 'n2', 'n3']));
  expect(list.map(({ metadata }) => metadata?.labels?.['parley.dev/slot'])).toEqual([
    '0',
    '0',
    '0',
  ]);
  const { status } = (await agent.get()) ?? {};
  expect(status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    drainingReplicas: 0,
    selector: 'parley.dev/voice-agent=pizza',
  });
  expect(status?.conditions?.map(({ type, status: is }) => `${type} ${is}`)).toEqual([
    'Accepted True',
    'ResolvedRefs True',
    'Scheduled True',
    'PodsReady True',
    'ProviderReady True',
    'Ready True',
  ]);
});

test('all that a user may say of pods is taken by the API server', async () => {
  await agent.create({
    pod: {
      resources: { requests: { cpu: 1, memory: '64Mi' }, limits: { memory: '1Gi' } },
      tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } } },
            },
          ],
        },
      },
      topologySpreadConstraints: [{ topologyKey: 'zone' }],
      annotations: { 'example.com/a': '1' },
    },
  });
  await agent.isCondition('Ready', 'True');
  const [pod] = await agent.pods();
  expect(pod?.metadata?.annotations).toMatchObject({ 'example.com/a': '1' });
  expect(pod?.spec?.containers[0]?.resources?.requests).toEqual({ cpu: '1', memory: '64Mi' });
});

test.each([
  { pod: { priorityClassName: 'none' }, words: 'no PriorityClass with name none was found' },
  {
    pod: { affinity: { nodeAffinity: { required: 'x' } } },
    words: 'unknown field "spec.affinity.nodeAffinity.required"',
  },
  {
    pod: { resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } },
    words: 'must be less than or equal to cpu limit',
  },
])('a pod that the API server refuses is told of: $words', async ({ pod, words }) => {
  await agent.create({ pod });
  await agent.isCondition('Ready', 'False PodRefused');
  const { status } = (await agent.get()) ?? {};
  const scheduled = status?.conditions?.find(({ type }) => type === 'Scheduled');
  expect(scheduled?.message).toContain(words);
  await agent.change({ pod: null });
  await agent.isCondition('Ready', 'True');
});

test('pods find their configuration and are spoken to with the key they have mounted', async () => {
  await agent.create();
  await agent.isCondition('Ready', 'True');
  const { namespace } = agent;
  const config = await site.client.get(configMaps, { namespace, name: 'pizza-parley-config' });
  const file = JSON.parse(config.data?.['connector.json'] ?? '') as Record<string, unknown>;
  expect(file).toMatchObject({
    sip: { sourceRanges: ['198.51.100.0/24'] },
    http: { tokenFile: '/etc/parley/token/token' },
    drain: { timeoutSeconds: 600 },
    agent: {
      name: 'pizza',
      greeting: 'Good morning.',
      maxCalls: 50,
      providers: [{ openai: { apiKeyFile: '/etc/parley/secrets/openai/key' } }],
    },
  });
  const secret = await site.client.get(secrets, { namespace, name: 'pizza-parley-token' });
  const token = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString();
  const [name = ''] = await agent.podNames();
  expect([...site.nodes.connector(name).tokens]).toEqual([token]);
});

test('when all is well nothing is written, restart of the operator included', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  // The last status may still be on its way to the caches.
  await until(
    'status to settle',
    5_000,
    async () => (await agent.get())?.status?.readyReplicas === 2,
  );
  const versions = async () => [
    (await agent.get())?.metadata?.resourceVersion,
    ...(await agent.pods()).map(({ metadata }) => metadata?.resourceVersion),
    (await site.client.get(configMaps, { namespace: agent.namespace, name: 'pizza-parley-config' }))
      .metadata?.resourceVersion,
  ];
  const before = await versions();
  await operator.stop();
  operator = await startOperator(site, [agent.namespace]);
  const metrics = async () => (await fetch(`http://127.0.0.1:${operator.port}/metrics`)).text();
  await until('two reconciles after the restart', 20_000, async () => {
    const [, count] =
      /controller_runtime_reconcile_total\{[^}]*requeue_after[^}]*\} (\d+)/.exec(await metrics()) ??
      [];
    return Number(count ?? 0) >= 2;
  });
  expect(await versions()).toEqual(before);
  const writes = [
    ...(await metrics()).matchAll(
      /rest_client_requests_total\{method="(POST|PUT|PATCH|DELETE)"[^}]*\} (\d+)/g,
    ),
  ];
  expect(writes.map(([line]) => line)).toEqual([]);
});

test('three pods become one: calls end first, and the pod with calls stays', async () => {
  await agent.create({ replicas: 3 });
  await agent.isCondition('Ready', 'True');
  const [a = '', b = '', c = ''] = await agent.podNames();
  site.nodes.connector(b).activeCalls = 2;
  site.nodes.connector(c).activeCalls = 1;
  // What was heard a moment ago is not asked again.
  await setTimeout(1_100);
  await agent.change({ replicas: 1 });
  await until('the idle pod to go', 15_000, async () => !(await agent.podNames()).includes(a));
  await until('the other to drain', 15_000, () => site.nodes.connector(c).isDraining);
  expect(await agent.podNames()).toEqual([b, c]);
  expect(site.nodes.connector(b).isDraining).toBe(false);
  site.nodes.connector(c).activeCalls = 0;
  await until('the last call to end', 15_000, async () => !(await agent.podNames()).includes(c));
  expect(await agent.podNames()).toEqual([b]);
  await agent.isCondition('Ready', 'True');
});

test('scaled up again while draining, the same pod takes calls again', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  const names = await agent.podNames();
  for (const name of names) site.nodes.connector(name).activeCalls = 1;
  await agent.change({ replicas: 1 });
  await until('one to drain', 15_000, () =>
    names.some((name) => site.nodes.connector(name).isDraining),
  );
  await agent.change({ replicas: 2 });
  await until('none to drain', 15_000, () =>
    names.every((name) => !site.nodes.connector(name).isDraining),
  );
  expect(await agent.podNames()).toEqual(names);
});

test('a missing Secret is named, nothing is made, and when it is there all goes on at once', async () => {
  await agent.create({
    providers: [{ openai: { apiKeySecretRef: { name: 'other', key: 'key' } } }],
  });
  await agent.isCondition('ResolvedRefs', 'False SecretNotFound');
  await agent.isCondition('Ready', 'False SecretNotFound');
  expect(await agent.pods()).toEqual([]);
  await agent.setSecret('other', { wrong: 'x' });
  await agent.isCondition('ResolvedRefs', 'False SecretKeyNotFound');
  const { status } = (await agent.get()) ?? {};
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
    'spec.providers[0].openai.apiKeySecretRef: Secret "other" has nothing under the key "key"',
  );
  await agent.setSecret('other', { key: 'sk' });
  await agent.isCondition('Ready', 'True', 5_000);
});

test('changed instructions and a new key reach running pods without a restart', async () => {
  await agent.create();
  await agent.isCondition('Ready', 'True');
  const [before] = await agent.pods();
  await agent.change({ greeting: 'Good evening.' });
  await until(
    'the pod to be told',
    5_000,
    async () => annotation((await agent.pods())[0], 'content') !== annotation(before, 'content'),
  );
  const [told] = await agent.pods();
  await agent.setSecret('openai', { key: 'sk-2' });
  await until(
    'the pod to be told',
    5_000,
    async () => annotation((await agent.pods())[0], 'content') !== annotation(told, 'content'),
  );
  const list = await agent.pods();
  expect(list.map(({ metadata }) => metadata?.uid)).toEqual([before?.metadata?.uid]);
  const config = await site.client.get(configMaps, {
    namespace: agent.namespace,
    name: 'pizza-parley-config',
  });
  expect(config.data?.['connector.json']).toContain('Good evening.');
});

test('a roll-out makes the new pod first and lets the calls of the old one end', async () => {
  await agent.create();
  await agent.isCondition('Ready', 'True');
  const [old = ''] = await agent.podNames();
  site.nodes.connector(old).activeCalls = 1;
  await agent.change({ pod: { annotations: { 'example.com/a': '1' } } });
  await until('the old one to drain', 15_000, () => site.nodes.connector(old).isDraining);
  expect((await agent.podNames()).length).toBe(2);
  await agent.isCondition('Ready', 'True');
  site.nodes.connector(old).activeCalls = 0;
  await agent.hasPods(1);
  expect(await agent.podNames()).not.toContain(old);
});

test('a roll-out to pods that crash stops, is told of, and can be taken back', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  const names = await agent.podNames();
  site.nodes.breakNewPods();
  try {
    await agent.change({ pod: { annotations: { 'example.com/a': 'bad' } } });
    await agent.isCondition('Ready', 'False RollOutStopped');
    expect((await agent.podNames()).filter((name) => names.includes(name))).toEqual(names);
    expect(names.map((name) => site.nodes.connector(name).isDraining)).toEqual([false, false]);
    await agent.change({ pod: { annotations: { 'example.com/a': null } } });
    await agent.isCondition('Ready', 'True');
    await agent.hasPods(2);
    expect(await agent.podNames()).toEqual(names);
  } finally {
    site.nodes.breakNewPods(false);
  }
});

test('a deleted agent goes when its calls have ended', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  const [a = '', b = ''] = await agent.podNames();
  site.nodes.connector(b).activeCalls = 1;
  await agent.delete();
  await until('the idle pod to go', 15_000, async () => !(await agent.podNames()).includes(a));
  expect(await agent.get()).toBeDefined();
  site.nodes.connector(b).activeCalls = 0;
  await until('the agent to go', 15_000, async () => (await agent.get()) === undefined);
  expect(await agent.pods()).toEqual([]);
});

test('a deleted agent does not wait for calls longer than its drain may take', async () => {
  await agent.create({ drain: { timeoutSeconds: 3 } });
  await agent.isCondition('Ready', 'True');
  const [name = ''] = await agent.podNames();
  site.nodes.connector(name).activeCalls = 1;
  await agent.delete();
  await until('the agent to go', 10_000, async () => (await agent.get()) === undefined);
  expect((await agent.pods())[0]?.metadata?.deletionTimestamp).toBeDefined();
  site.nodes.connector(name).activeCalls = 0;
});

test('pods of a node that is lost are replaced elsewhere, and the node, back again, is relieved', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  const [lost] = await agent.pods();
  const node = lost?.spec?.nodeName ?? '';
  await site.nodes.powerOff(node);
  try {
    await until('a third pod elsewhere', 10_000, async () => {
      const others = (await agent.pods()).filter(
        ({ spec }) => spec?.nodeName && spec.nodeName !== node,
      );
      return others.length === 2;
    });
    await agent.isCondition('Ready', 'True');
    const names = await agent.podNames();
    expect(names).toContain(lost?.metadata?.name);
    expect(
      (await agent.pods()).find(({ metadata }) => metadata?.name === lost?.metadata?.name)?.metadata
        ?.deletionTimestamp,
    ).toBeUndefined();
  } finally {
    await site.nodes.powerOn(node);
  }
  await agent.hasPods(2);
});

test('a pod whose node does not exist any more is removed by force', async () => {
  await agent.create({ replicas: 1 });
  await agent.isCondition('Ready', 'True');
  const [pod] = await agent.pods();
  const name = pod?.spec?.nodeName ?? '';
  const taint = { key: 'node.kubernetes.io/out-of-service', value: 'x', effect: 'NoExecute' };
  await site.nodes.powerOff(name);
  await site.nodes.setTaints(name, [taint]);
  try {
    await until(
      'the pod to go',
      10_000,
      async () => !(await agent.podNames()).includes(pod?.metadata?.name ?? ''),
    );
    await agent.isCondition('Ready', 'True');
    expect((await agent.pods()).map(({ spec }) => spec?.nodeName)).not.toContain(name);
  } finally {
    await site.nodes.setTaints(name, []);
    await site.nodes.powerOn(name);
  }
});

test('where another program has the ports of a slot the next one is taken', async () => {
  site.nodes.occupy(0);
  await agent.create();
  await agent.isCondition('Ready', 'True', 20_000);
  await until('failed pods to go', 10_000, async () => (await agent.pods()).length === 1);
  expect((await agent.pods()).map(({ metadata }) => metadata?.labels?.['parley.dev/slot'])).toEqual(
    ['1'],
  );
});

test('a slot that pods unseen have on all nodes is given up for the next one', async () => {
  const other = new Agent(site.client, await site.server.createNamespace());
  await other.setSecret('openai', { key: 'sk-1' });
  const second = await startOperator(site, [other.namespace]);
  try {
    await agent.create({ replicas: 3 });
    await agent.isCondition('Ready', 'True');
    await other.create();
    await other.isCondition('Ready', 'True', 25_000);
    await until('the pod that waits to go', 5_000, async () => (await other.pods()).length === 1);
    expect((await other.pods())[0]?.metadata?.labels?.['parley.dev/slot']).toBe('1');
  } finally {
    await second.stop();
    await other.removePods();
  }
});

test('a provider that does not work is told of in the words of the pod', async () => {
  await agent.create();
  await agent.isCondition('Ready', 'True');
  const [name = ''] = await agent.podNames();
  site.nodes.connector(name).provider = {
    isReady: false,
    reason: 'KeyRefused',
    message: 'openai refuses the key',
  };
  await agent.isCondition('Ready', 'False KeyRefused', 20_000);
  const { status } = (await agent.get()) ?? {};
  expect(status?.conditions?.find(({ type }) => type === 'ProviderReady')?.message).toBe(
    `pod ${name}: openai refuses the key`,
  );
  site.nodes.connector(name).provider = {
    isReady: true,
    reason: 'Connected',
    message: 'openai works',
  };
  await agent.isCondition('Ready', 'True', 5_000);
});

test('what contradicts itself is refused by field, and pods go on', async () => {
  await agent.create();
  await agent.isCondition('Ready', 'True');
  const names = await agent.podNames();
  await agent.change({
    tools: [
      { name: 'look', http: { url: 'https://example.com/', parametersSchema: { type: 'string' } } },
    ],
  });
  await agent.isCondition('Ready', 'False InvalidConfiguration');
  expect(await agent.podNames()).toEqual(names);
});

test('without an operator nothing happens; the next one goes on where the last one was', async () => {
  await agent.create({ replicas: 2 });
  await agent.isCondition('Ready', 'True');
  const names = await agent.podNames();
  for (const name of names) site.nodes.connector(name).activeCalls = 1;
  await agent.change({ replicas: 1 });
  await until('one to drain', 15_000, () =>
    names.some((name) => site.nodes.connector(name).isDraining),
  );
  await operator.stop();
  const drained = names.find((name) => site.nodes.connector(name).isDraining) ?? '';
  site.nodes.connector(drained).activeCalls = 0;
  expect(await agent.podNames()).toEqual(names);
  operator = await startOperator(site, [agent.namespace]);
  await agent.hasPods(1);
  expect(await agent.podNames()).not.toContain(drained);
});
