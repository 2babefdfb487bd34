import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { Cache } from '../kube/cache.ts';
import { createDeadline } from '../kube/deadline.ts';
import { failureFields, isConflict } from '../kube/kube-error.ts';
import type { KubeObject, ObjectKey } from '../kube/object.ts';
import type { Change } from '../kube/store.ts';
import type { ControllerMetrics } from './controller-metrics.ts';
import { type Outcome, type Reconcile, type ReconcileResult, TerminalError } from './reconcile.ts';
import { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  /** Of the kind it cares for, such as `voice-agent`; label of the metrics. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys worked on at once. */
  readonly workers?: number;
  /** Of one reconcile, ms; then its signal aborts. */
  readonly timeout?: number;
  /** Whether we still lead; asked before each reconcile, for a paused process wakes without being told. */
  readonly mayWrite?: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: ControllerMetrics;
}

/** Feeds the keys that caches tell into one reconcile function. */
export interface Controller {
  readonly name: string;
  /**
   * Every change of the cache is mapped to keys: of the object itself, of its owner, of what refers to it.
   * `before` and `after` are both asked, so that the one it was taken from hears of it too.
   */
  watch<T extends KubeObject, Index extends string>(
    cache: Cache<T, Index>,
    keysOf: (object: T) => readonly ObjectKey[],
  ): void;
  enqueue(key: ObjectKey): void;
  enqueueAfter(key: ObjectKey, delay: number): void;
  /** Caches must have synced. */
  start(): void;
  /** Takes no key any more; resolves when the running reconciles have ended, or after `limit` ms. Idempotent. */
  stop(limit?: number): Promise<void>;
  /** For how long the longest running reconcile runs, ms. */
  readonly longestActive: number;
}

export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

class QueueController implements Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #log: Log;
  readonly #queue: WorkQueue;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #workers: Promise<unknown> | undefined;

  constructor(options: ControllerOptions) {
    const { name, clock, log, metrics } = options;
    this.name = name;
    this.#options = options;
    this.#log = log.child({ controller: name });
    this.#queue = new WorkQueue({
      clock,
      ...(metrics ? { onEvent: (event) => metrics.queued(name, event) } : {}),
    });
    metrics?.follow(name, this.#queue);
  }

  get longestActive(): number {
    return this.#queue.longestActive;
  }

  watch<T extends KubeObject, Index extends string>(
    cache: Cache<T, Index>,
    keysOf: (object: T) => readonly ObjectKey[],
  ): void {
    const onChange = ({ before, after }: Change<T>): void => {
      const keys = new Set([before, after].flatMap((object) => (object ? keysOf(object) : [])));
      // What was there at the start goes after what changes now.
      for (const key of keys) this.#queue.add(key, cache.hasSynced ? 'normal' : 'low');
    };
    this.#unsubscribe.push(cache.onChange(onChange));
  }

  enqueue(key: ObjectKey): void {
    this.#queue.add(key);
  }

  enqueueAfter(key: ObjectKey, delay: number): void {
    this.#queue.addAfter(key, delay);
  }

  start(): void {
    if (this.#stopping.signal.aborted) return;
    const { workers = 4 } = this.#options;
    this.#workers ??= Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  async stop(limit = 10_000): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#queue.close();
    this.#stopping.abort();
    if (!this.#workers) return;
    const patience = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(limit, () => {
      this.#log.error({ active: this.#queue.active }, 'a reconcile does not end');
      patience.resolve();
    });
    await Promise.race([this.#workers, patience.promise]);
    timer.cancel();
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      await this.#reconcileOne(key);
      this.#queue.done(key);
    }
  }

  /** Never rejects. */
  async #reconcileOne(key: string): Promise<void> {
    const { clock, metrics, mayWrite = () => true } = this.#options;
    if (!mayWrite()) return;
    const started = clock.now();
    const result = await this.#run(key);
    metrics?.reconciled(this.name, result, clock.now() - started);
  }

  async #run(key: string): Promise<ReconcileResult> {
    const { clock, reconcile, timeout = 60_000 } = this.#options;
    const deadline = createDeadline(clock, timeout, [this.#stopping.signal]);
    try {
      return this.#succeeded(key, await reconcile(key, deadline.signal));
    } catch (error) {
      return this.#failed(key, error);
    } finally {
      deadline.release();
    }
  }

  #succeeded(key: string, { requeueAfter }: Outcome): ReconcileResult {
    this.#queue.forget(key);
    if (requeueAfter === undefined) return 'success';
    this.#queue.addAfter(key, requeueAfter);
    return 'requeue_after';
  }

  #failed(key: string, error: unknown): ReconcileResult {
    if (error instanceof TerminalError) {
      this.#queue.forget(key);
      this.#log.warn({ key, error: error.message }, 'a reconcile cannot succeed');
      return 'terminal';
    }
    if (isConflict(error)) {
      this.#queue.retryConflict(key);
      this.#log.debug({ key }, 'a reconcile lost a race');
      return 'requeue';
    }
    this.#queue.retry(key);
    const failures = this.#queue.failuresOf(key);
    this.#log.warn({ key, failures, ...failureFields(error) }, 'a reconcile failed');
    return 'error';
  }
}
