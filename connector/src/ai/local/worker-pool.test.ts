import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { type PoolWorker, WorkerPool } from './worker-pool.ts';

/** A thread that answers when the test says so. */
class FakeWorker implements PoolWorker {
  readonly jobs: unknown[] = [];
  readonly #listeners = new Map<string, (value: unknown) => void>();
  isTerminated = false;

  on(event: string, listener: (value: unknown) => void): void {
    this.#listeners.set(event, listener);
  }
  postMessage(job: unknown): void {
    this.jobs.push(job);
  }
  terminate(): Promise<void> {
    this.isTerminated = true;
    return Promise.resolve();
  }
  post(message: unknown): void {
    this.#listeners.get('message')?.(message);
  }
  ready(): void {
    this.post({ type: 'ready' });
  }
  done(result: unknown): void {
    this.post({ type: 'done', result });
  }
  die(): void {
    this.#listeners.get('error')?.(new Error('out of memory'));
    this.#listeners.get('exit')?.(1);
  }
}

function pool(size: number) {
  const workers: FakeWorker[] = [];
  const clock = new FakeClock();
  const made = new WorkerPool<string, string>({
    name: 'test',
    size,
    clock,
    log: silentLog,
    start: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    },
  });
  return { pool: made, workers, clock };
}

/** What became of a promise, once the pending reactions ran. */
async function fate(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.catch((error: Error) => error.message),
    new Promise((resolve) => setImmediate(resolve, 'pending')),
  ]);
}

test('a job goes to a thread as soon as it is ready, and its answer comes back', async () => {
  const { pool: one, workers } = pool(1);
  const result = one.run('a', {});
  expect(workers[0]?.jobs).toEqual([]);
  workers[0]?.ready();
  workers[0]?.done('A');
  expect(await result).toBe('A');
});

test('threads are started as they are needed, no more than allowed', () => {
  const { pool: two, workers } = pool(2);
  void two.run('a', {});
  expect(workers).toHaveLength(1);
  workers[0]?.ready();
  void two.run('b', {});
  expect(workers).toHaveLength(2);
  void two.run('c', {});
  expect(workers).toHaveLength(2);
});

test('owners take turns, however many jobs one has', () => {
  const { pool: one, workers } = pool(1);
  const [ann, bob] = [{}, {}];
  for (const job of ['a1', 'a2', 'a3']) void one.run(job, ann);
  for (const job of ['b1', 'b2']) void one.run(job, bob);
  workers[0]?.ready();
  for (let n = 0; n < 5; n++) workers[0]?.done('');
  expect(workers[0]?.jobs).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
});

test('what an owner no longer wants is not done', async () => {
  const { pool: one, workers } = pool(1);
  const [ann, bob] = [{}, {}];
  const dropped = one.run('a', ann);
  void one.run('b', bob);
  one.drop(ann);
  workers[0]?.ready();
  expect(workers[0]?.jobs).toEqual(['b']);
  expect(await fate(dropped)).toBe('test: no longer wanted');
});

test('a thread that dies fails its job and is replaced; the next job is done', async () => {
  const { pool: one, workers } = pool(1);
  const first = one.run('a', {});
  const second = one.run('b', {});
  workers[0]?.ready();
  workers[0]?.die();
  expect(await fate(first)).toBe('test: out of memory');
  expect(workers).toHaveLength(2);
  workers[1]?.ready();
  workers[1]?.done('B');
  expect(await second).toBe('B');
});

test('a thread that cannot start fails those who wait, and is tried again for the next', async () => {
  const { pool: one, workers } = pool(1);
  const warm = one.warm();
  const job = one.run('a', {});
  workers[0]?.die();
  expect([await fate(warm), await fate(job)]).toEqual([
    'test: out of memory',
    'test: no longer wanted',
  ]);
  expect(workers).toHaveLength(1);
  void one.run('b', {});
  expect(workers).toHaveLength(2);
});

test('a thread that hangs is ended and replaced', async () => {
  const { pool: one, workers, clock } = pool(1);
  const job = one.run('a', {});
  workers[0]?.ready();
  clock.advance(15_000);
  expect(await fate(job)).toBe('test: it did not answer in time');
  expect(workers[0]?.isTerminated).toBe(true);
  expect(workers).toHaveLength(2);
});

test('a job that fails leaves its thread in service', async () => {
  const { pool: one, workers } = pool(1);
  const job = one.run('a', {});
  workers[0]?.ready();
  workers[0]?.post({ type: 'failed', message: 'bad grammar' });
  expect(await fate(job)).toBe('test: bad grammar');
  void one.run('b', {});
  expect(workers[0]?.jobs).toEqual(['a', 'b']);
});

test('closing ends the threads and what they had to do, once and for all', async () => {
  const { pool: one, workers, clock } = pool(1);
  const jobs = [one.run('a', {}), one.run('b', {})];
  workers[0]?.ready();
  await one.close();
  await one.close();
  expect(await Promise.all(jobs.map((job) => fate(job)))).toEqual([
    'test: closed',
    'test: no longer wanted',
  ]);
  expect(await fate(one.run('c', {}))).toBe('test: closed');
  clock.advance(60_000);
  expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true]);
});
