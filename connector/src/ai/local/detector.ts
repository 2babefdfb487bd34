import type { Clock, Timer } from '../../base/clock.ts';
import { ConnectorError, messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { DetectorMessage, DetectorRequest } from './detector-worker.ts';
import { frameSamples } from './segmenter.ts';
import type { PoolWorker } from './worker-pool.ts';

export interface DetectorOptions {
  readonly start: () => PoolWorker;
  /** Threads at most. */
  readonly size: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** One stream's way to a voice model in another thread. */
export interface DetectorStream {
  /** Whole frames of `frameSamples`, in order. */
  push(samples: Int16Array): void;
  close(): void;
}

/** After a thread that could not start, calls are deaf for so long before the next attempt. */
const restartPause = 5000;
/** Streams that one thread can take: a frame costs 0.1 to 0.2 ms of its 32 ms. */
const streamsPerThread = 100;
const startTimeout = 15_000;
const endTimeout = 5000;

interface Listener {
  readonly onProbabilities: (probabilities: readonly number[]) => void;
  /** Frames that wait for their probability. */
  pending: number;
}

interface Thread {
  readonly worker: PoolWorker;
  readonly streams: Map<number, Listener>;
  readonly ready: PromiseWithResolvers<void>;
  readonly timer: Timer;
  isReady: boolean;
}

/** Finds voices in the audio of many calls, in as few threads as will do. */
export class Detector {
  readonly #options: DetectorOptions;
  readonly #threads = new Set<Thread>();
  #nextStream = 0;
  #restartAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: DetectorOptions) {
    this.#options = options;
  }

  /** Resolves when streams can be opened; rejects with PROVIDER_UNAVAILABLE. */
  async warm(): Promise<void> {
    const thread = this.#thread();
    if (!thread) throw unavailable(this.#isClosed ? 'closed' : 'it could not be started');
    await thread.ready.promise;
  }

  /** `onProbabilities` gets one number for each frame, in order, also when a thread died over them. */
  open(onProbabilities: (probabilities: readonly number[]) => void): DetectorStream {
    const id = this.#nextStream++;
    const listener: Listener = { onProbabilities, pending: 0 };
    let thread = this.#thread();
    thread?.streams.set(id, listener);
    return {
      push: (samples) => {
        if (!thread || !this.#threads.has(thread)) {
          thread = this.#thread();
          thread?.streams.set(id, listener);
        }
        listener.pending += samples.length / frameSamples;
        if (thread) post(thread, { type: 'frames', stream: id, samples });
        else queueMicrotask(() => answerSilence(listener));
      },
      close: () => {
        if (!thread?.streams.delete(id) || !this.#threads.has(thread)) return;
        post(thread, { type: 'close', stream: id });
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    for (const thread of threads) {
      thread.timer.cancel();
      thread.ready.reject(unavailable('closed'));
    }
    await Promise.all(threads.map((thread) => this.#ended(thread)));
  }

  /** Lets a thread end by itself, also one that is still loading; by force only when it does not. */
  #ended(thread: Thread): Promise<unknown> {
    const { worker } = thread;
    return new Promise((resolve) => {
      const limit = this.#options.clock.after(endTimeout, () => resolve(worker.terminate()));
      worker.on('exit', () => {
        limit.cancel();
        resolve(undefined);
      });
      post(thread, { type: 'end' });
    });
  }

  /** The thread with the fewest streams, a new one when all are full; undefined when none can be had. */
  #thread(): Thread | undefined {
    const { size, clock } = this.#options;
    const [idlest] = [...this.#threads].toSorted((a, b) => a.streams.size - b.streams.size);
    if (idlest && (idlest.streams.size < streamsPerThread || this.#threads.size >= size))
      return idlest;
    return this.#isClosed || clock.now() < this.#restartAt ? idlest : this.#start();
  }

  #start(): Thread {
    const ready = Promise.withResolvers<void>();
    // Whoever waits for it gets the error; nobody has to.
    ready.promise.catch(() => undefined);
    const worker = this.#options.start();
    const timer = this.#options.clock.after(startTimeout, () => {
      this.#died(thread, 'it did not start in time');
      void worker.terminate();
    });
    const thread: Thread = { worker, streams: new Map(), ready, timer, isReady: false };
    this.#threads.add(thread);
    worker.on('message', (message) => this.#answered(thread, message));
    worker.on('error', (error) => this.#died(thread, messageOf(error)));
    worker.on('exit', () => this.#died(thread, 'it ended'));
    return thread;
  }

  #answered(thread: Thread, posted: unknown): void {
    // The worker's file is ours: it posts nothing else.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const message = posted as DetectorMessage;
    if (message.type === 'ready') {
      thread.isReady = true;
      thread.timer.cancel();
      thread.ready.resolve();
      const { model, reason } = message;
      this.#options.log.info({ model, ...(reason ? { reason } : {}) }, 'voice detector ready');
      return;
    }
    const listener = thread.streams.get(message.stream);
    if (!listener) return;
    listener.pending -= message.probabilities.length;
    listener.onProbabilities(message.probabilities);
  }

  /** Frames that the thread took with it count as silence; the streams move on with their next frame. */
  #died(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return;
    thread.timer.cancel();
    if (!thread.isReady) this.#restartAt = this.#options.clock.now() + restartPause;
    this.#options.log.warn({ worker: 'detector', reason }, 'worker thread lost');
    thread.ready.reject(unavailable(reason));
    for (const listener of thread.streams.values()) answerSilence(listener);
  }
}

function answerSilence(listener: Listener): void {
  const lost = listener.pending;
  listener.pending = 0;
  if (lost > 0) listener.onProbabilities(Array.from({ length: lost }, () => 0));
}

function post(thread: Thread, request: DetectorRequest): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  thread.worker.postMessage(request);
}

function unavailable(reason: string): ConnectorError {
  return new ConnectorError('PROVIDER_UNAVAILABLE', `detector: ${reason}`);
}
