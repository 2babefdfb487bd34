import { silentLog } from '@parley/connector/base/log';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import { createCache } from './cache.ts';
import type { KubeClient, Page, WatchEvent, WatchOptions } from './client.ts';
import { byController, byNode } from './indexes.ts';
import { type Pod, pods } from './kinds.ts';
import { localError } from './kube-error.ts';

/** Answers lists from a variable and watches from what the test tells. */
class FakeServer {
  items: readonly Pod[] = [];
  version = '10';
  isDown = false;
  readonly watches: WatchOptions[] = [];
  lists = 0;
  #tell: ((event: WatchEvent<Pod> | undefined) => void) | undefined;
  readonly #told: (WatchEvent<Pod> | undefined)[] = [];

  readonly client = {
    listPage: async () => {
      this.lists += 1;
      if (this.isDown) throw localError('ConnectionFailed', 'down');
      return { items: this.items, resourceVersion: this.version };
    },
    watch: (_: unknown, options: WatchOptions) => this.#watch(options),
  };

  get asClient(): Pick<KubeClient, 'listPage' | 'watch'> {
    return this.client as unknown as {
      listPage: <T>() => Promise<Page<T>>;
      watch: <T>() => AsyncIterable<WatchEvent<T>>;
    };
  }

  /** Undefined ends the watch. */
  tell(event: WatchEvent<Pod> | undefined): void {
    if (this.#tell) this.#tell(event);
    else this.#told.push(event);
  }

  async *#watch(options: WatchOptions): AsyncGenerator<WatchEvent<Pod>> {
    this.watches.push(options);
    while (!options.signal.aborted) {
      const event = this.#told.length > 0 ? this.#told.shift() : await this.#next(options.signal);
      if (!event) return;
      yield event;
    }
  }

  #next(signal: AbortSignal): Promise<WatchEvent<Pod> | undefined> {
    return new Promise((resolve) => {
      const settle = (event: WatchEvent<Pod> | undefined): void => {
        this.#tell = undefined;
        resolve(event);
      };
      this.#tell = settle;
      signal.addEventListener('abort', () => settle(undefined), { once: true });
    });
  }
}

function pod(name: string, version: string, over: { node?: string; owner?: string } = {}): Pod {
  const { node, owner } = over;
  return {
    metadata: {
      namespace: 'a',
      name,
      uid: name,
      resourceVersion: version,
      managedFields: [{}],
      ...(owner
        ? {
            ownerReferences: [
              { apiVersion: 'v', kind: 'k', name: 'o', uid: owner, controller: true },
            ],
          }
        : {}),
    },
    ...(node ? { spec: { containers: [], nodeName: node } } : {}),
  };
}

function versionOf(given: Pod | undefined): string {
  return given?.metadata?.resourceVersion ?? 'none';
}

function setup() {
  const clock = new FakeClock();
  const server = new FakeServer();
  const cache = createCache({
    client: server.asClient,
    kind: pods,
    indexes: { controller: byController, node: byNode },
    clock,
    random: () => 0.5,
    log: silentLog,
  });
  const told: string[] = [];
  cache.onChange(({ key, before, after }) => {
    told.push(`${key} ${versionOf(before)} -> ${versionOf(after)}`);
  });
  return { clock, server, cache, told };
}

test('a cache has synced after the first whole list, and follows the watch', async () => {
  const { clock, server, cache, told } = setup();
  server.items = [pod('x', '5', { node: 'n1', owner: 'u1' })];
  expect(cache.hasSynced).toBe(false);
  cache.start();
  await cache.whenSynced();
  server.tell({ type: 'ADDED', object: pod('y', '11', { node: 'n1' }) });
  server.tell({ type: 'MODIFIED', object: pod('x', '12', { node: 'n2', owner: 'u1' }) });
  await clock.advanceAsync(0);
  expect(cache.by('node', 'n1').map(({ metadata }) => metadata?.name)).toEqual(['y']);
  expect(cache.by('controller', 'u1')).toEqual([cache.get('a/x')]);
  server.tell({ type: 'DELETED', object: pod('y', '13') });
  await clock.advanceAsync(0);
  expect(told).toEqual(['a/x none -> 5', 'a/y none -> 11', 'a/x 5 -> 12', 'a/y 11 -> none']);
  expect(cache.get('a/x')?.metadata).not.toHaveProperty('managedFields');
  await cache.stop();
  expect(clock.pending).toBe(0);
});

test('what vanished while nobody watched is told when it is listed again', async () => {
  const { clock, server, cache, told } = setup();
  server.items = [pod('x', '5'), pod('y', '6')];
  cache.start();
  await cache.whenSynced();
  server.items = [pod('y', '6'), pod('z', '30')];
  server.version = '31';
  server.tell({ type: 'ERROR', object: { code: 410, reason: 'Expired' } as Pod });
  await clock.advanceAsync(0);
  expect(told.slice(2)).toEqual(['a/x 5 -> none', 'a/z none -> 30']);
  expect(server.watches.map(({ resourceVersion }) => resourceVersion)).toEqual(['10', '31']);
  await cache.stop();
});

test('a listener that throws harms neither the others nor the cache', async () => {
  const { clock, server, cache, told } = setup();
  let thrown = 0;
  const off = cache.onChange(() => {
    thrown += 1;
    throw new Error('bug');
  });
  const late: string[] = [];
  cache.start();
  await cache.whenSynced();
  server.tell({ type: 'ADDED', object: pod('x', '11') });
  await clock.advanceAsync(0);
  cache.onChange(({ key }) => late.push(key));
  off();
  server.tell({ type: 'ADDED', object: pod('y', '12') });
  await clock.advanceAsync(0);
  expect([thrown, told.length, late]).toEqual([1, 2, ['a/x', 'a/y']]);
  expect([server.lists, server.watches.length]).toEqual([1, 1]);
  await cache.stop();
});

test('every ten minutes or so the whole list is compared', async () => {
  const { clock, server, cache } = setup();
  cache.start();
  await cache.whenSynced();
  await clock.advanceAsync(599_000);
  expect(server.lists).toBe(1);
  await clock.advanceAsync(121_000);
  expect([server.lists, server.watches.length]).toEqual([2, 2]);
  await cache.stop();
  expect(clock.pending).toBe(0);
});

test('stop while waiting for the next try opens nothing any more', async () => {
  const { clock, server, cache } = setup();
  server.isDown = true;
  cache.start();
  await clock.advanceAsync(100);
  expect(cache.hasSynced).toBe(false);
  await cache.stop();
  await cache.stop();
  await clock.advanceAsync(600_000);
  expect([server.lists, clock.pending]).toEqual([1, 0]);
});

test('start twice watches once', async () => {
  const { clock, server, cache } = setup();
  cache.start();
  cache.start();
  await clock.advanceAsync(1000);
  expect([server.lists, server.watches.length]).toEqual([1, 1]);
  await cache.stop();
});
