import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../connector/src/base/clock.ts';
import { silentLog } from '../../../connector/src/base/log.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/create-kube-client.ts';
import { fencedClient } from '../../src/kube/fenced-client.ts';
import type { RequestSample } from '../../src/kube/http.ts';
import { configMaps, nodes, pods } from '../../src/kube/kinds.ts';
import { fastClock } from '../support/fast-clock.ts';
import { ScriptedApi } from '../support/scripted-api.ts';

let api: ScriptedApi;
let client: KubeClient;
let samples: RequestSample[];

function connect(factor = 1): KubeClient {
  samples = [];
  return createKubeClient({
    kubeconfig: api.kubeconfig,
    clock: factor === 1 ? systemClock : fastClock(factor),
    log: silentLog,
    onRequest: (sample) => samples.push(sample),
  });
}

beforeEach(async () => {
  api = await ScriptedApi.start();
  client = connect();
});

afterEach(async () => {
  await client.close();
  await api.close();
});

const ref = { namespace: 'a', name: 'x' };
const map = { metadata: ref, data: { key: 'value' } };

test('the kubeconfig says server, path and token', async () => {
  const got = client.get(pods, ref);
  const exchange = await api.next();
  expect([exchange.method, exchange.path]).toEqual(['GET', '/below/api/v1/namespaces/a/pods/x']);
  expect(exchange.headers).toMatchObject({
    authorization: 'Bearer token-1',
    accept: 'application/json',
    'user-agent': 'parley-operator',
  });
  exchange.answer(200, { metadata: ref });
  expect(await got).toEqual({ metadata: ref });
});

test('200 requests at once share four connections', async () => {
  const all = Array.from({ length: 200 }, () => client.get(nodes, { name: 'n' }));
  for (let n = 0; n < 200; n++) (await api.next()).answer(200, { metadata: {} });
  await Promise.all(all);
  expect(api.accepted).toBe(4);
});

test('server-side apply names manager, force and subresource, and is strict', async () => {
  const done = client.applyServerSide(configMaps, map, {
    fieldManager: 'parley',
    force: true,
    subresource: 'status',
  });
  const exchange = await api.next();
  expect([exchange.method, exchange.path, exchange.headers['content-type']]).toEqual([
    'PATCH',
    '/below/api/v1/namespaces/a/configmaps/x/status',
    'application/apply-patch+yaml',
  ]);
  expect(Object.fromEntries(exchange.query)).toEqual({
    fieldManager: 'parley',
    fieldValidation: 'Strict',
    force: 'true',
  });
  expect(exchange.body).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', ...map });
  exchange.answer(200, map);
  await done;
});

test.each([
  { patch: { type: 'merge', body: { a: 1 } }, type: 'application/merge-patch+json' },
  { patch: { type: 'json', body: [{ op: 'test' }] }, type: 'application/json-patch+json' },
  { patch: { type: 'strategic', body: {} }, type: 'application/strategic-merge-patch+json' },
] as const)('a patch says what it is: $type', async ({ patch, type }) => {
  const done = client.patch(configMaps, ref, { fieldManager: 'parley', patch });
  const exchange = await api.next();
  expect([exchange.headers['content-type'], exchange.body]).toEqual([type, patch.body]);
  exchange.answer(200, map);
  await done;
});

test('a delete carries its preconditions', async () => {
  const done = client.delete(pods, ref, {
    uid: 'u',
    resourceVersion: '7',
    gracePeriodSeconds: 0,
    propagation: 'Background',
  });
  const exchange = await api.next();
  expect([exchange.method, exchange.body]).toEqual([
    'DELETE',
    {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u', resourceVersion: '7' },
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
    },
  ]);
  exchange.status(409, 'Conflict');
  await expect(done).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
});

test('a list is read page by page', async () => {
  const all = client.list(pods, { namespace: 'a', labelSelector: 'app=x' });
  const first = await api.next();
  expect(Object.fromEntries(first.query)).toEqual({ labelSelector: 'app=x', limit: '500' });
  first.list('5', [{ metadata: { name: 'x' } }], 'more');
  const second = await api.next();
  expect(second.query.get('continue')).toBe('more');
  second.list('5', [{ metadata: { name: 'y' } }]);
  expect((await all).map(({ kind, metadata }) => [kind, metadata?.name])).toEqual([
    ['Pod', 'x'],
    ['Pod', 'y'],
  ]);
});

test('an empty list of Go is null', async () => {
  const all = client.list(pods);
  (await api.next()).answer(200, { metadata: {}, items: null });
  expect(await all).toEqual([]);
});

test('what is missing is found as undefined, and got as 404', async () => {
  const found = client.find(pods, ref);
  (await api.next()).status(404, 'NotFound');
  expect(await found).toBeUndefined();
  const got = client.get(pods, ref);
  (await api.next()).status(404, 'NotFound');
  await expect(got).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
});

test('429 is waited for as long as the server says, whatever the method', async () => {
  await client.close();
  client = connect(10);
  const done = client.create(configMaps, map, { fieldManager: 'parley' });
  const began = performance.now();
  (await api.next()).status(429, 'TooManyRequests', { 'retry-after': '3' });
  (await api.next()).answer(201, map);
  await done;
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  expect(samples.map(({ method, status }) => `${method} ${status}`)).toEqual([
    'POST 429',
    'POST 201',
  ]);
});

test('a server that is always busy is given up after five tries, and its wait is told', async () => {
  await client.close();
  client = connect(100);
  const done = client.get(pods, ref);
  done.catch(() => undefined);
  for (let n = 0; n < 5; n++)
    (await api.next()).status(429, 'TooManyRequests', { 'retry-after': '1' });
  await expect(done).rejects.toMatchObject({ status: 429, retryAfter: 1000 });
  expect(api.requests).toHaveLength(5);
});

test('who does not lead reads, and writes nothing', async () => {
  const fenced = fencedClient(client, () => false);
  const write = { fieldManager: 'parley' };
  for (const attempt of [
    fenced.create(configMaps, map, write),
    fenced.replace(configMaps, map, write),
    fenced.applyServerSide(configMaps, map, write),
    fenced.patch(configMaps, ref, { ...write, patch: { type: 'merge', body: {} } }),
    fenced.delete(configMaps, ref),
  ])
    await expect(attempt).rejects.toMatchObject({ status: 0, reason: 'NotLeader' });
  expect([api.requests, samples]).toEqual([[], []]);
  const got = fenced.get(configMaps, ref);
  (await api.next()).answer(200, map);
  expect(await got).toEqual(map);
});

test('a write that waits for a busy server is not sent when leadership ended meanwhile', async () => {
  await client.close();
  client = connect(10);
  let leads = true;
  const done = fencedClient(client, () => leads).delete(configMaps, ref);
  done.catch(() => undefined);
  (await api.next()).status(429, 'TooManyRequests', { 'retry-after': '1' });
  leads = false;
  await expect(done).rejects.toMatchObject({ reason: 'NotLeader' });
  expect(api.requests).toHaveLength(1);
});

test('credentials that are never there time out', async () => {
  await client.close();
  const config = JSON.parse(readFileSync(api.kubeconfig, 'utf8')) as { users: { user: object }[] };
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['3'] };
  config.users[0]!.user = { exec };
  writeFileSync(api.kubeconfig, JSON.stringify(config));
  client = connect(50);
  await expect(client.get(pods, ref)).rejects.toMatchObject({ reason: 'TimedOut' });
});

test('close ends a wait for Retry-After', async () => {
  const done = client.get(pods, ref);
  done.catch(() => undefined);
  (await api.next()).status(429, 'TooManyRequests', { 'retry-after': '30' });
  await new Promise((soon) => setTimeout(soon, 50));
  await client.close();
  await expect(done).rejects.toMatchObject({ reason: 'Aborted' });
});

test('a server that does not answer is timed out', async () => {
  await client.close();
  client = connect(50);
  const done = client.create(configMaps, map, { fieldManager: 'parley' });
  await expect(done).rejects.toMatchObject({ status: 0, reason: 'TimedOut' });
  expect(api.requests).toHaveLength(1);
});

test('a broken connection: a read is tried once more, a write is not', async () => {
  const got = client.get(pods, ref);
  (await api.next()).reset();
  (await api.next()).answer(200, { metadata: ref });
  expect(await got).toEqual({ metadata: ref });
  const created = client.create(configMaps, map, { fieldManager: 'parley' });
  created.catch(() => undefined);
  (await api.next()).reset();
  await expect(created).rejects.toMatchObject({ status: 0, reason: 'ConnectionFailed' });
  expect(api.requests).toHaveLength(3);
});

test('a token that was rotated is read again after a 401, once', async () => {
  const first = client.get(pods, ref);
  (await api.next()).answer(200, { metadata: ref });
  await first;
  writeFileSync(api.tokenFile, 'token-2\n');
  const second = client.get(pods, ref);
  const refused = await api.next();
  expect(refused.headers.authorization).toBe('Bearer token-1');
  refused.status(401, 'Unauthorized');
  const again = await api.next();
  expect(again.headers.authorization).toBe('Bearer token-2');
  again.answer(200, { metadata: ref });
  await second;
  const third = client.get(pods, ref);
  third.catch(() => undefined);
  (await api.next()).status(401, 'Unauthorized');
  (await api.next()).status(401, 'Unauthorized');
  await expect(third).rejects.toMatchObject({ status: 401 });
});

test('the answer of a broken proxy is an error with its status', async () => {
  const done = client.get(pods, ref);
  done.catch(() => undefined);
  (await api.next()).answer(502, '<html>Bad gateway</html>');
  await expect(done).rejects.toMatchObject({ status: 502, reason: 'Http502' });
  const second = client.get(pods, ref);
  second.catch(() => undefined);
  (await api.next()).answer(200, 'hello');
  await expect(second).rejects.toMatchObject({ reason: 'BadAnswer' });
});

test('a kubeconfig that cannot be read is a clear error, and heals', async () => {
  const broken = createKubeClient({
    kubeconfig: `${api.kubeconfig}.missing`,
    clock: systemClock,
    log: silentLog,
  });
  await expect(broken.get(pods, ref)).rejects.toMatchObject({ reason: 'BadCredentials' });
  writeFileSync(
    `${api.kubeconfig}.missing`,
    JSON.stringify({ clusters: [], users: [], contexts: [] }),
  );
  await expect(broken.get(pods, ref)).rejects.toMatchObject({ reason: 'BadCredentials' });
  await broken.close();
});

test('close ends what is under way and leaves no connection', async () => {
  const done = client.get(pods, ref);
  done.catch(() => undefined);
  await api.next();
  await Promise.all([client.close(), client.close()]);
  await expect(done).rejects.toMatchObject({ reason: 'Aborted' });
  await expect(client.get(pods, ref)).rejects.toMatchObject({ reason: 'Aborted' });
  await expect.poll(() => api.open).toBe(0);
});
