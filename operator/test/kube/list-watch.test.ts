import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../connector/src/base/log.ts';
import { type Cache, createCache } from '../../src/kube/cache.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/create-kube-client.ts';
import { type Pod, pods } from '../../src/kube/kinds.ts';
import { fastClock } from '../support/fast-clock.ts';
import { type Exchange, ScriptedApi } from '../support/scripted-api.ts';

/** Ten times as fast: the first backoff is 60 to 100 ms, a request times out after 1.5 s. */
const clock = fastClock(10);

let api: ScriptedApi;
let client: KubeClient;
let cache: Cache<Pod>;
let told: string[];

beforeEach(async () => {
  api = await ScriptedApi.start();
  client = createKubeClient({
    kubeconfig: api.kubeconfig,
    clock,
    log: silentLog,
    watchSilence: 60_000,
  });
  cache = createCache({ client, kind: pods, clock, random: Math.random, log: silentLog });
  told = [];
  cache.onChange(({ key, before, after }) =>
    told.push(`${key} ${versionOf(before)} -> ${versionOf(after)}`),
  );
});

afterEach(async () => {
  await cache.stop();
  await client.close();
  await api.close();
});

function versionOf(given: Pod | undefined): string {
  return given?.metadata?.resourceVersion ?? 'none';
}

function pod(name: string, resourceVersion: string): Pod {
  return { metadata: { namespace: 'a', name, uid: name, resourceVersion } };
}

/** Lists `items` at version 10 and opens the watch. */
async function started(...items: readonly Pod[]): Promise<Exchange> {
  cache.start();
  (await api.nextList()).list('10', items);
  const watch = await api.nextWatch();
  watch.open();
  return watch;
}

function telling(count: number): Promise<unknown> {
  return expect.poll(() => told.length, { timeout: 5000 }).toBe(count);
}

/** In the time of the clock. */
function passing(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms / 10));
}

test('a watch begins where the list ended and asks for bookmarks and an end', async () => {
  const watch = await started(pod('x', '5'));
  expect(Object.fromEntries(watch.query)).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '10',
    timeoutSeconds: expect.stringMatching(/^[345]\d\d$/) as string,
  });
  watch.send('ADDED', pod('y', '11'));
  watch.send('DELETED', pod('x', '12'));
  await telling(3);
  expect(told).toEqual(['a/x none -> 5', 'a/y none -> 11', 'a/x 5 -> none']);
});

test('a watch that the server ends goes on from the last event or bookmark, without a list', async () => {
  const watch = await started();
  watch.send('ADDED', pod('x', '11'));
  watch.send('BOOKMARK', { metadata: { resourceVersion: '500' } });
  await telling(1);
  await passing(1500);
  watch.end();
  expect((await api.nextWatch()).query.get('resourceVersion')).toBe('500');
});

test('410 as the answer to a watch lists again; what vanished meanwhile is told', async () => {
  cache.start();
  (await api.nextList()).list('10', [pod('x', '5'), pod('y', '6')]);
  (await api.nextWatch()).status(410, 'Gone');
  (await api.nextList()).list('20', [pod('y', '15')]);
  expect((await api.nextWatch()).query.get('resourceVersion')).toBe('20');
  expect(told.slice(2)).toEqual(['a/x 5 -> none', 'a/y 6 -> 15']);
});

test('410 within a watch lists again', async () => {
  const watch = await started(pod('x', '5'));
  watch.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  (await api.nextList()).list('20', []);
  expect((await api.nextWatch()).query.get('resourceVersion')).toBe('20');
  expect(watch.isClosed).toBe(true);
  expect(told).toEqual(['a/x none -> 5', 'a/x 5 -> none']);
});

test('any other error within a watch lists again after a moment', async () => {
  const watch = await started();
  const began = performance.now();
  watch.send('ERROR', { kind: 'Status', code: 500, reason: 'InternalError' });
  (await api.nextList()).list('20', []);
  expect(performance.now() - began).toBeGreaterThan(55);
  await api.nextWatch();
});

test.each([
  { name: '500', fail: (watch: Exchange) => watch.status(500, 'InternalError') },
  { name: 'the page of a proxy', fail: (watch: Exchange) => watch.answer(502, '<html>') },
  { name: 'a reset', fail: (watch: Exchange) => watch.reset() },
])('$name instead of a watch: it is tried again from the same version', async ({ fail }) => {
  cache.start();
  (await api.nextList()).list('10', []);
  fail(await api.nextWatch());
  let next = await api.nextWatch();
  // A read is tried again at once when its connection breaks.
  if (next.isClosed) next = await api.nextWatch();
  expect(next.query.get('resourceVersion')).toBe('10');
});

test.each([
  { name: 'a reset', fail: (watch: Exchange) => watch.reset() },
  {
    name: 'a cut within an event',
    fail: (watch: Exchange) => {
      watch.raw('{"type":"ADDED","obj');
      watch.end();
    },
  },
  { name: 'a line that is not JSON', fail: (watch: Exchange) => watch.raw('<html>\n') },
  { name: 'a line that is no event', fail: (watch: Exchange) => watch.raw('{"a":1}\n') },
])('$name in an open watch: it goes on from the last event', async ({ fail }) => {
  const watch = await started();
  watch.send('ADDED', pod('x', '11'));
  await telling(1);
  fail(watch);
  const next = await api.nextWatch();
  expect(next.query.get('resourceVersion')).toBe('11');
  next.open();
  next.send('MODIFIED', pod('x', '12'));
  await telling(2);
});

test('a list that fails is tried again until it works', async () => {
  cache.start();
  (await api.nextList()).status(500, 'InternalError');
  (await api.nextList()).answer(200, 'not JSON');
  (await api.nextList()).status(403, 'Forbidden');
  expect(cache.hasSynced).toBe(false);
  (await api.nextList()).list('10', []);
  await api.nextWatch();
  expect(cache.hasSynced).toBe(true);
  expect(cache.stats.failures).toBe(3);
});

test('a list that is never answered is timed out and tried again', async () => {
  cache.start();
  await api.nextList();
  (await api.nextList()).list('10', [pod('x', '5')]);
  await telling(1);
  expect(cache.hasSynced).toBe(true);
});

test('429 to a list is waited for as long as the server says', async () => {
  cache.start();
  const began = performance.now();
  (await api.nextList()).status(429, 'TooManyRequests', { 'retry-after': '5' });
  (await api.nextList()).list('10', []);
  expect(performance.now() - began).toBeGreaterThan(480);
});

test('pages that expire under way are fetched in one piece', async () => {
  cache.start();
  (await api.nextList()).list('10', [pod('x', '5')], 'more');
  (await api.nextList()).status(410, 'Expired');
  const whole = await api.nextList();
  expect(Object.fromEntries(whole.query)).toEqual({});
  whole.list('12', [pod('y', '6')]);
  await api.nextWatch();
  expect(told).toEqual(['a/y none -> 6']);
});

test('a quiet watch stays open: 50 s without a byte are nothing', async () => {
  const watch = await started();
  await passing(50_000);
  expect([api.requests.length, watch.isClosed]).toEqual([2, false]);
  watch.send('ADDED', pod('x', '11'));
  await telling(1);
});

test('a peer that vanished without a word is noticed, and what happened since is found', async () => {
  const watch = await started(pod('x', '5'));
  watch.send('BOOKMARK', { metadata: { resourceVersion: '30' } });
  await passing(60_000);
  (await api.nextList()).list('40', [pod('y', '35')]);
  expect((await api.nextWatch()).query.get('resourceVersion')).toBe('40');
  expect(watch.isClosed).toBe(true);
  expect(told).toEqual(['a/x none -> 5', 'a/x 5 -> none', 'a/y none -> 35']);
});

test('a server restored from a backup, whose versions are behind ours, is listed anew', async () => {
  await started(pod('x', '5'));
  // To a version of the future it says nothing at all.
  await passing(60_000);
  (await api.nextList()).list('3', [pod('x', '2')]);
  const watch = await api.nextWatch();
  expect(watch.query.get('resourceVersion')).toBe('3');
  watch.open();
  watch.send('MODIFIED', pod('x', '4'));
  await telling(3);
  expect(told).toEqual(['a/x none -> 5', 'a/x 5 -> 2', 'a/x 2 -> 4']);
});

test('what is told twice or late changes nothing', async () => {
  const watch = await started(pod('x', '5'));
  watch.send('MODIFIED', pod('x', '12'));
  watch.send('MODIFIED', pod('x', '12'));
  watch.send('MODIFIED', pod('x', '11'));
  watch.send('DELETED', pod('x', '13'));
  watch.send('MODIFIED', pod('x', '12'));
  watch.send('ADDED', pod('y', '14'));
  await telling(4);
  expect(told).toEqual(['a/x none -> 5', 'a/x 5 -> 12', 'a/x 12 -> none', 'a/y none -> 14']);
});

test('an event of a type unknown to us is skipped', async () => {
  const watch = await started();
  watch.send('FUTURE', pod('x', '11'));
  watch.send('ADDED', pod('y', '12'));
  await telling(1);
  expect(told).toEqual(['a/y none -> 12']);
});

test('a listener that throws does not end the watch', async () => {
  cache.onChange(() => {
    throw new Error('bug');
  });
  const watch = await started(pod('x', '5'));
  watch.send('MODIFIED', pod('x', '11'));
  watch.send('MODIFIED', pod('x', '12'));
  await telling(3);
  expect(api.requests).toHaveLength(2);
});

test('stop closes the watch, and neither tells nor asks anything any more', async () => {
  const watch = await started();
  await cache.stop();
  watch.send('ADDED', pod('x', '11'));
  await expect.poll(() => watch.isClosed).toBe(true);
  await passing(3000);
  expect([api.requests.length, told]).toEqual([2, []]);
});

test('stop while waiting for the next try asks nothing any more', async () => {
  cache.start();
  (await api.nextList()).status(500, 'InternalError');
  await passing(100);
  await cache.stop();
  await passing(3000);
  expect(api.requests).toHaveLength(1);
});

test('start twice is one watch', async () => {
  cache.start();
  await started();
  await passing(1000);
  expect(api.requests).toHaveLength(2);
});

test('an API server that is always broken is asked less and less', async () => {
  cache.start();
  const times: number[] = [];
  for (let n = 0; n < 5; n++) {
    (await api.nextList()).status(500, 'InternalError');
    times.push(performance.now());
  }
  // 0.8 s, doubled each time, less a quarter by chance; a tenth of it on this clock.
  for (const [index, time] of times.slice(1).entries())
    expect(time - times[index]!).toBeGreaterThan(55 * 2 ** index);
});

test('a watch holds one connection, and requests share others', async () => {
  const watch = await started();
  for (let n = 0; n < 20; n++) {
    const got = client.get(pods, { namespace: 'a', name: 'x' });
    (await api.next()).answer(200, {});
    await got;
  }
  expect(api.accepted).toBeLessThanOrEqual(3);
  expect(watch.isClosed).toBe(false);
});
