import { silentLog } from '@parley/connector/base/log';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import { createManager, type LeaderTask, type ManagedCache, type Manager } from './manager.ts';

class FakeCache implements ManagedCache {
  readonly kind = { kind: 'Pod' };
  readonly #synced = Promise.withResolvers<void>();
  readonly #steps: string[];
  hasSynced = false;

  constructor(steps: string[]) {
    this.#steps = steps;
  }

  start(): void {
    this.#steps.push('cache starts');
  }

  sync(): void {
    this.hasSynced = true;
    this.#synced.resolve();
  }

  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  async stop(): Promise<void> {
    this.#steps.push('cache stops');
  }
}

function setup() {
  const clock = new FakeClock();
  const steps: string[] = [];
  const cache = new FakeCache(steps);
  const task = {
    name: 'voice-agent',
    longestActive: 0,
    start: () => void steps.push('task starts'),
    stop: async () => void steps.push('task stops'),
  } satisfies LeaderTask;
  const manager: Manager = createManager({
    clock,
    log: silentLog,
    caches: [cache],
    tasks: [task],
    election: {
      start: () => void steps.push('election starts'),
      stop: async () => void steps.push('lease released'),
    },
    onLost: () => void steps.push('lost'),
  });
  return { clock, steps, cache, task, manager };
}

test('caches, then the election, then the tasks; and back', async () => {
  const { clock, steps, cache, manager } = setup();
  const started = manager.start();
  await clock.advanceAsync(60_000);
  expect(steps).toEqual(['cache starts']);
  expect(manager.ready()).toEqual({ isGood: false, reasons: ['no whole list of Pod yet'] });
  cache.sync();
  await started;
  expect(manager.ready().isGood).toBe(true);
  manager.elected();
  await Promise.all([manager.stop(), manager.stop()]);
  expect(steps).toEqual([
    'cache starts',
    'election starts',
    'task starts',
    'task stops',
    'lease released',
    'cache stops',
  ]);
  expect(manager.ready().isGood).toBe(false);
  expect(clock.pending).toBe(0);
});

test('stop before the caches have synced ends the start', async () => {
  const { clock, steps, manager } = setup();
  const started = manager.start();
  await manager.stop();
  await started;
  manager.elected();
  expect(steps).toEqual(['cache starts', 'task stops', 'lease released', 'cache stops']);
  expect(clock.pending).toBe(0);
});

test('a lost lease stops the tasks and ends the process', async () => {
  const { steps, cache, manager } = setup();
  cache.sync();
  await manager.start();
  manager.elected();
  manager.lost();
  expect(steps.slice(-2)).toEqual(['task stops', 'lost']);
  await manager.stop();
});

test('a standby that never led has nothing to lose', async () => {
  const { steps, cache, manager } = setup();
  cache.sync();
  await manager.start();
  manager.lost();
  expect(steps).toEqual(['cache starts', 'election starts']);
  await manager.stop();
});

test('live means that the loop turns and no reconcile hangs, nothing else', async () => {
  const { clock, task, manager } = setup();
  const started = manager.start();
  await clock.advanceAsync(3_600_000);
  expect(manager.live()).toEqual({ isGood: true, reasons: [] });
  task.longestActive = 300_001;
  expect(manager.live()).toEqual({ isGood: false, reasons: ['voice-agent is stuck'] });
  await manager.stop();
  await started;
});
