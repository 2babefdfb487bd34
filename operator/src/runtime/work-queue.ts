import type { Clock, Timer } from '@parley/connector/base/clock';
import { createTokenBucket, type TokenBucket } from '../kube/token-bucket.ts';

export type Priority = 'normal' | 'low';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Of the first retry of a key; doubled with each further, ms. */
  readonly firstDelay?: number;
  readonly longestDelay?: number;
  /** Of a key that only lost a race, ms: the cache has the newer object in a moment. */
  readonly longestConflictDelay?: number;
  /** Retries of all keys together. */
  readonly retriesPerSecond?: number;
  readonly retryBurst?: number;
  readonly onEvent?: (event: QueueEvent) => void;
}

/** For metrics; `waited` and `worked` in ms. */
export type QueueEvent =
  | { readonly type: 'added' }
  | { readonly type: 'retried' }
  | { readonly type: 'taken'; readonly waited: number }
  | { readonly type: 'done'; readonly worked: number };

interface Waiting {
  readonly due: number;
  readonly timer: Timer;
}

/**
 * Keys to be worked on. A key is in the queue once however often it is added, and never taken while another
 * worker has it: it is queued again when that one is done.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  /** Key and since when, first in first out; `low` is served when `normal` is empty. */
  readonly #ready = { normal: new Map<string, number>(), low: new Map<string, number>() };
  readonly #active = new Map<string, number>();
  /** Added while active. */
  readonly #again = new Map<string, Priority>();
  readonly #delayed = new Map<string, Waiting>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#bucket = createTokenBucket({
      clock: options.clock,
      perSecond: options.retriesPerSecond ?? 10,
      burst: options.retryBurst ?? 100,
    });
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return this.#ready.normal.size + this.#ready.low.size;
  }

  get active(): number {
    return this.#active.size;
  }

  /** For how long the oldest of the active keys is worked on, ms; 0 when there is none. */
  get longestActive(): number {
    const [since] = this.#active.values();
    return since === undefined ? 0 : this.#clock.now() - since;
  }

  /** Sum over the active keys, ms. */
  get unfinished(): number {
    const now = this.#clock.now();
    return [...this.#active.values()].reduce((sum, since) => sum + now - since, 0);
  }

  /** `low` is for what is only looked at again, such as everything after a start. */
  add(key: string, priority: Priority = 'normal'): void {
    if (this.#isClosed) return;
    this.#cancelDelay(key);
    this.#options.onEvent?.({ type: 'added' });
    if (this.#active.has(key)) {
      if (this.#again.get(key) !== 'normal') this.#again.set(key, priority);
      return;
    }
    this.#enqueue(key, priority);
  }

  /** The earliest of several delays counts; `add` counts more. */
  addAfter(key: string, delay: number): void {
    if (this.#isClosed || this.#isReady(key)) return;
    const due = this.#clock.now() + delay;
    const known = this.#delayed.get(key);
    if (known && known.due <= due) return;
    known?.timer.cancel();
    const timer = this.#clock.after(delay, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, timer });
  }

  /** After a failure: later each time, and no faster than all retries together may come. */
  retry(key: string): void {
    const { firstDelay = 5, longestDelay = 30_000 } = this.#options;
    this.#retryAfter(
      key,
      Math.max(this.#backoff(key, firstDelay, longestDelay), this.#bucket.take()),
    );
  }

  /** After a lost race (409): at once, then soon; nothing is wrong with the key. */
  retryConflict(key: string): void {
    const { firstDelay = 5, longestConflictDelay = 1000 } = this.#options;
    const isFirst = !this.#failures.has(key);
    const delay = this.#backoff(key, firstDelay, longestConflictDelay);
    this.#retryAfter(key, isFirst ? 0 : delay);
  }

  /** The key succeeded: its backoff begins anew. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, waiting for it; undefined when the queue is closed. Each key taken must be given to `done`. */
  take(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    const since = this.#active.get(key);
    if (since === undefined) return;
    this.#active.delete(key);
    this.#options.onEvent?.({ type: 'done', worked: this.#clock.now() - since });
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined && !this.#isClosed) this.#enqueue(key, priority);
  }

  /** Nothing is taken any more and all timers are released; active keys may still be given to `done`. */
  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#ready.normal.clear();
    this.#ready.low.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #retryAfter(key: string, delay: number): void {
    if (this.#isClosed) return;
    this.#options.onEvent?.({ type: 'retried' });
    if (delay <= 0) this.add(key);
    else this.addAfter(key, delay);
  }

  #backoff(key: string, first: number, longest: number): number {
    const failures = this.failuresOf(key);
    this.#failures.set(key, failures + 1);
    return Math.min(longest, first * 2 ** Math.min(failures, 30));
  }

  #enqueue(key: string, priority: Priority): void {
    const { normal, low } = this.#ready;
    if (normal.has(key)) return;
    const since = low.get(key) ?? this.#clock.now();
    if (priority === 'normal') low.delete(key);
    this.#ready[priority].set(key, since);
    const taker = this.#takers.shift();
    if (taker) taker(this.#next());
  }

  #next(): string | undefined {
    const { normal, low } = this.#ready;
    const queue = normal.size > 0 ? normal : low;
    const [first] = queue;
    if (!first) return undefined;
    const [key, since] = first;
    queue.delete(key);
    const now = this.#clock.now();
    this.#active.set(key, now);
    this.#options.onEvent?.({ type: 'taken', waited: now - since });
    return key;
  }

  /** It will be taken without waiting for a timer. */
  #isReady(key: string): boolean {
    const { normal, low } = this.#ready;
    return normal.has(key) || low.has(key) || this.#again.has(key);
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }
}
