import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock as clock } from '../../../connector/src/base/clock.ts';
import { silentLog } from '../../../connector/src/base/log.ts';
import { type Cache, createCache } from '../../src/kube/cache.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/create-kube-client.ts';
import { createEventRecorder } from '../../src/kube/event-recorder.ts';
import type { RequestSample } from '../../src/kube/http.ts';
import { byNode } from '../../src/kube/indexes.ts';
import {
  type ConfigMap,
  configMaps,
  events,
  leases,
  nodes,
  type Pod,
  pods,
} from '../../src/kube/kinds.ts';
import { createLeaderElection } from '../../src/kube/leader-election.ts';
import { keyOf } from '../../src/kube/object.ts';
import { createController } from '../../src/runtime/controller.ts';
import { createManager } from '../../src/runtime/manager.ts';
import { startApiServer, type TestApiServer } from '../support/api-server.ts';
import { startCountingProxy } from '../support/counting-proxy.ts';

let server: TestApiServer;
const opened: { close(): Promise<void> }[] = [];
const started: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startApiServer();
}, 90_000);

afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop();
  for (const each of opened.splice(0).toReversed()) await each.close();
});

afterAll(() => server.stop());

function connect(
  onRequest?: (sample: RequestSample) => void,
  kubeconfig = server.kubeconfig,
): KubeClient {
  const client = createKubeClient({
    kubeconfig,
    clock,
    log: silentLog,
    ...(onRequest ? { onRequest } : {}),
  });
  opened.push(client);
  return client;
}

function follow(client: KubeClient, namespace: string): Cache<ConfigMap> {
  const cache = createCache({
    client,
    kind: configMaps,
    selection: { namespace },
    clock,
    random: Math.random,
    log: silentLog,
  });
  started.push(cache);
  cache.start();
  return cache;
}

function map(namespace: string, name: string, value = '1'): ConfigMap {
  return { metadata: { namespace, name }, data: { value } };
}

const write = { fieldManager: 'parley', force: true } as const;

function versionOf(object: ConfigMap): string | undefined {
  return object.metadata?.resourceVersion;
}

test('the same applied twice changes nothing, another value does', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  const first = await client.applyServerSide(configMaps, map(namespace, 'a'), write);
  const again = await client.applyServerSide(configMaps, map(namespace, 'a'), write);
  const other = await client.applyServerSide(configMaps, map(namespace, 'a', '2'), write);
  expect(versionOf(again)).toBe(versionOf(first));
  expect(versionOf(other)).not.toBe(versionOf(first));
});

test('a field of another manager is a conflict unless forced', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  await client.create(configMaps, map(namespace, 'a'), { fieldManager: 'someone' });
  const wanted = map(namespace, 'a', '2');
  await expect(
    client.applyServerSide(configMaps, wanted, { fieldManager: 'parley' }),
  ).rejects.toMatchObject({ status: 409, reason: 'Conflict', causes: ['FieldManagerConflict'] });
  expect((await client.applyServerSide(configMaps, wanted, write)).data).toEqual({ value: '2' });
});

test('the status of a pod is applied as a subresource', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  const pod: Pod = {
    metadata: { namespace, name: 'a' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  };
  await client.create(pods, pod, { fieldManager: 'parley' });
  const metadata = { namespace, name: 'a' };
  const status = { phase: 'Running' };
  await client.applyServerSide(pods, { metadata, status }, { ...write, subresource: 'status' });
  expect((await client.get(pods, metadata)).status?.phase).toBe('Running');
});

test('a delete whose preconditions do not hold any more is refused', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  const made = await client.create(configMaps, map(namespace, 'a'), { fieldManager: 'parley' });
  const { uid, resourceVersion } = made.metadata ?? {};
  const ref = { namespace, name: 'a' };
  await client.applyServerSide(configMaps, map(namespace, 'a', '2'), write);
  const refused = { status: 409, reason: 'Conflict' };
  await expect(
    client.delete(configMaps, ref, { uid: uid!, resourceVersion: resourceVersion! }),
  ).rejects.toMatchObject(refused);
  await expect(client.delete(configMaps, ref, { uid: 'another' })).rejects.toMatchObject(refused);
  await client.delete(configMaps, ref, { uid: uid! });
  await expect(client.delete(configMaps, ref)).rejects.toMatchObject({ status: 404 });
  await expect(
    client.create(configMaps, map(namespace, 'b'), { fieldManager: 'parley', dryRun: true }),
  ).resolves.toBeDefined();
  expect(await client.find(configMaps, { namespace, name: 'b' })).toBeUndefined();
});

test('what the server refuses is told with its reason', async () => {
  const client = connect();
  await expect(client.create(configMaps, map('nowhere', 'a'), write)).rejects.toMatchObject({
    status: 404,
    reason: 'NotFound',
  });
  const namespace = await server.createNamespace();
  await expect(client.create(configMaps, map(namespace, 'No!'), write)).rejects.toMatchObject({
    status: 422,
    reason: 'Invalid',
  });
  const unknown = { ...map(namespace, 'a'), unknown: 1 };
  await expect(
    client.create(configMaps, unknown, { fieldManager: 'parley' }),
  ).rejects.toMatchObject({ status: 400, reason: 'BadRequest' });
});

test('200 requests at once open at most four connections', async () => {
  const proxy = await startCountingProxy(Number(new URL(server.url).port));
  opened.push(proxy);
  const kubeconfig = `${server.kubeconfig}.proxy`;
  const text = readFileSync(server.kubeconfig, 'utf8');
  writeFileSync(kubeconfig, text.replace(server.url, `https://127.0.0.1:${proxy.port}`));
  const client = connect(undefined, kubeconfig);
  await Promise.all(Array.from({ length: 200 }, () => client.list(nodes)));
  for (let n = 0; n < 20; n++) await client.list(nodes);
  expect(proxy.accepted).toBeLessThanOrEqual(4);
  await client.close();
  await expect.poll(() => proxy.open).toBe(0);
});

test('a list of many pages is whole, and the watch follows it', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  const names = Array.from({ length: 1100 }, (_, n) => `m${n}`);
  await Promise.all(names.map((name) => client.create(configMaps, map(namespace, name), write)));
  const cache = follow(client, namespace);
  await cache.whenSynced();
  expect([cache.size, cache.stats.lists]).toEqual([1100, 3]);
  await client.delete(configMaps, { namespace, name: 'm7' });
  await expect.poll(() => cache.get(`${namespace}/m7`)).toBeUndefined();
}, 60_000);

test('to a version that it forgot the server says 410, to one of the future nothing', async () => {
  const client = connect();
  const first = async (resourceVersion: string) => {
    const signal = AbortSignal.timeout(10_000);
    const watch = client.watch(configMaps, { resourceVersion, timeoutSeconds: 2, signal });
    for await (const event of watch) return event;
    return 'silence';
  };
  // Its memory of events begins anew, so that it knows what came before its start no more.
  await server.down();
  await server.up();
  await expect(first('1')).resolves.toMatchObject({ type: 'ERROR', object: { code: 410 } });
  await expect(first('999999999')).resolves.toBe('silence');
}, 90_000);

test('a cache lives through restarts of the API server, and misses nothing', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  await client.create(configMaps, map(namespace, 'kept'), write);
  await client.create(configMaps, map(namespace, 'gone'), write);
  const cache = follow(client, namespace);
  await cache.whenSynced();
  for (const turn of ['first', 'second']) {
    await server.down();
    await server.up();
    await client.applyServerSide(configMaps, map(namespace, 'kept', turn), write);
    await client.applyServerSide(configMaps, map(namespace, turn), write);
    await expect
      .poll(() => cache.get(`${namespace}/kept`)?.data?.['value'], { timeout: 20_000 })
      .toBe(turn);
    await expect.poll(() => cache.get(`${namespace}/${turn}`)).toBeDefined();
  }
  await client.delete(configMaps, { namespace, name: 'gone' });
  await expect.poll(() => cache.get(`${namespace}/gone`)).toBeUndefined();
}, 90_000);

test('events are written, counted and seen', async () => {
  const client = connect();
  const namespace = await server.createNamespace();
  const about = await client.create(configMaps, map(namespace, 'a'), write);
  const node = await client.create(nodes, { metadata: { name: 'n1' } }, write);
  const recorder = createEventRecorder({
    client,
    component: 'parley-operator',
    instance: 'pod-1',
    clock,
    log: silentLog,
  });
  const event = { type: 'Warning', reason: 'SecretMissing', message: 'no secret' } as const;
  for (let n = 0; n < 3; n++) recorder.record(about, event);
  recorder.record(node, event);
  await recorder.close();
  expect(await client.list(events, { namespace })).toMatchObject([
    { reason: 'SecretMissing', count: 3, involvedObject: { kind: 'ConfigMap', name: 'a' } },
  ]);
  expect(
    await client.list(events, { namespace: 'default', fieldSelector: 'involvedObject.name=n1' }),
  ).toHaveLength(1);
});

test('an idle operator only renews its lease; its watches stay open', async () => {
  const samples: RequestSample[] = [];
  const client = connect((sample) => samples.push(sample));
  const namespace = await server.createNamespace();
  await client.create(configMaps, map(namespace, 'a'), write);
  const options = { client, clock, random: Math.random, log: silentLog };
  const maps = createCache({ ...options, kind: configMaps, selection: { namespace } });
  const all = createCache({ ...options, kind: pods, indexes: { node: byNode } });
  const reconciled: string[] = [];
  const controller = createController({
    name: 'test',
    clock,
    log: silentLog,
    reconcile: async (key) => {
      reconciled.push(key);
      const { name = '' } = maps.get(key)?.metadata ?? {};
      await client.applyServerSide(configMaps, map(namespace, name, 'done'), write);
      return {};
    },
  });
  controller.watch(maps, (object) => [keyOf(object)]);
  const election = createLeaderElection({
    ...options,
    namespace,
    name: 'operator',
    identity: 'me',
    onElected: () => manager.elected(),
    onLost: () => manager.lost(),
  });
  const manager = createManager({
    clock,
    log: silentLog,
    caches: [maps, all],
    tasks: [controller],
    election,
    onLost: () => undefined,
  });
  started.push(manager);
  await manager.start();
  await expect.poll(() => maps.get(`${namespace}/a`)?.data?.['value']).toBe('done');
  await new Promise((done) => setTimeout(done, 1000));
  const [before, runs] = [samples.length, reconciled.length];
  await new Promise((done) => setTimeout(done, 12_500));
  const told = samples.slice(before).map(({ method, status }) => `${method} ${status}`);
  expect(new Set(told)).toEqual(new Set(['PUT 200']));
  expect(told.length).toBeGreaterThanOrEqual(4);
  expect(told.length).toBeLessThanOrEqual(7);
  expect(reconciled).toHaveLength(runs);
  await manager.stop();
  const lease = await client.get(leases, { namespace, name: 'operator' });
  expect(lease.spec?.holderIdentity).toBe('');
}, 40_000);
