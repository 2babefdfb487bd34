import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { Detector } from './detector.ts';
import type { DetectorRequest } from './detector-worker.ts';
import { frameSamples } from './segmenter.ts';
import type { PoolWorker } from './worker-pool.ts';

class FakeThread implements PoolWorker {
  readonly requests: DetectorRequest[] = [];
  isTerminated = false;
  readonly #listeners = new Map<string, ((value: unknown) => void)[]>();

  on(event: string, listener: (value: unknown) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }
  // A thread takes anything; the detector posts only requests.
  postMessage(request: DetectorRequest): void {
    this.requests.push(request);
  }
  terminate(): Promise<void> {
    this.isTerminated = true;
    this.emit('exit', 1);
    return Promise.resolve();
  }
  emit(event: string, value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value);
  }
  ready(): void {
    this.emit('message', { type: 'ready', model: 'silero' });
  }
}

function start(size = 1) {
  const threads: FakeThread[] = [];
  const clock = new FakeClock();
  const detector = new Detector({
    size,
    clock,
    log: silentLog,
    start: () => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
  });
  return { detector, threads, clock };
}

const frames = (count: number) => new Int16Array(count * frameSamples);

test('frames go to the thread, their probabilities to whom they belong', () => {
  const { detector, threads } = start();
  const [ann, bob]: number[][] = [[], []];
  detector.open((probabilities) => ann?.push(...probabilities)).push(frames(1));
  detector.open((probabilities) => bob?.push(...probabilities)).push(frames(2));
  threads[0]?.emit('message', { type: 'probabilities', stream: 1, probabilities: [0.2, 0.3] });
  threads[0]?.emit('message', { type: 'probabilities', stream: 0, probabilities: [0.1] });
  expect([ann, bob]).toEqual([[0.1], [0.2, 0.3]]);
});

test('frames lost with a thread count as silence, and the stream goes on in the next', () => {
  const { detector, threads } = start();
  const got: number[] = [];
  const stream = detector.open((probabilities) => got.push(...probabilities));
  threads[0]?.ready();
  stream.push(frames(2));
  threads[0]?.emit('error', new Error('crashed'));
  expect(got).toEqual([0, 0]);
  stream.push(frames(1));
  threads[1]?.emit('message', { type: 'probabilities', stream: 0, probabilities: [0.9] });
  expect(got).toEqual([0, 0, 0.9]);
});

test('a thread that cannot start is not tried again with each frame', async () => {
  const { detector, threads, clock } = start();
  const got: number[] = [];
  const stream = detector.open((probabilities) => got.push(...probabilities));
  threads[0]?.emit('exit', 1);
  stream.push(frames(1));
  stream.push(frames(1));
  await Promise.resolve();
  expect([threads.length, got]).toEqual([1, [0, 0]]);
  clock.advance(5000);
  stream.push(frames(1));
  expect(threads).toHaveLength(2);
});

test('a second thread is started when the first is full', () => {
  const { detector, threads } = start(2);
  for (let n = 0; n < 250; n++) detector.open(() => undefined).push(frames(1));
  expect(threads.map(({ requests }) => requests.length)).toEqual([125, 125]);
});

test('closing lets the thread end by itself', async () => {
  const { detector, threads } = start();
  void detector.warm().catch(() => undefined);
  const closing = detector.close();
  expect(threads[0]?.requests).toEqual([{ type: 'end' }]);
  threads[0]?.emit('exit', 0);
  await closing;
  expect(threads[0]?.isTerminated).toBe(false);
  await expect(detector.warm()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
});

test('a thread that does not end is ended', async () => {
  const { detector, threads, clock } = start();
  void detector.warm().catch(() => undefined);
  const closing = detector.close();
  clock.advance(5000);
  await closing;
  expect(threads[0]?.isTerminated).toBe(true);
});
