import type { Clock, Timer } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { KubeClient, ListOptions, WatchEvent } from './client.ts';
import type { ResourceKind } from './kinds.ts';
import { errorOfStatus, failureFields, KubeError } from './kube-error.ts';
import {
  type Failure,
  type ListWatchEffect,
  type ListWatchEvent,
  newListWatch,
  step,
} from './list-watch-state.ts';
import type { KubeObject } from './object.ts';

/** Where the objects go. What it throws is logged and counted, and stops nothing. */
interface ListWatchTarget<T> {
  /** The whole collection: what is not in it does not exist. */
  replace(items: readonly T[]): void;
  put(object: T): void;
  remove(object: T): void;
}

export interface ListWatchOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'listPage' | 'watch'>;
  readonly kind: ResourceKind<T>;
  /** Part of the collection; all of it otherwise. */
  readonly selection?: ListOptions;
  readonly target: ListWatchTarget<T>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** A whole list at least so often, should a watch ever lose something; ms. */
  readonly relistInterval?: number;
}

/** Counters since the start, for metrics. */
export interface ListWatchStats {
  lists: number;
  watches: number;
  failures: number;
  /** Events that were delivered. */
  events: number;
  /** Exceptions of the target. */
  targetErrors: number;
  /** Of the last page, event or bookmark, on the clock's `now`. */
  lastHeard: number;
}

/** Keeps a target equal to a collection of the API server, through all its failures, until `stop`. */
export class ListWatch<T extends KubeObject> {
  readonly stats: ListWatchStats;
  readonly #options: ListWatchOptions<T>;
  readonly #log: Log;
  #state = newListWatch;
  #pages: T[] = [];
  /** Of the request, watch or wait that runs; each has its own, so that a late end is not taken for another's. */
  #running = new AbortController();
  #wait: Timer | undefined;
  #relist: Timer | undefined;
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#log = options.log.child({ kind: options.kind.kind });
    this.stats = {
      lists: 0,
      watches: 0,
      failures: 0,
      events: 0,
      targetErrors: 0,
      lastHeard: options.clock.now(),
    };
  }

  start(): void {
    this.#take({ type: 'start' });
  }

  /** Resolves when no request is under way any more; the target hears nothing from the call on. Idempotent. */
  async stop(): Promise<void> {
    this.#relist?.cancel();
    this.#take({ type: 'stop' });
    await Promise.allSettled(this.#tasks);
  }

  #take(event: ListWatchEvent): readonly ListWatchEffect[] {
    const { clock, random } = this.#options;
    const [state, effects] = step(this.#state, event, { now: clock.now(), random: random() });
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    return effects;
  }

  #run(effect: ListWatchEffect): void {
    switch (effect.type) {
      case 'abort':
        this.#renew();
        return;
      case 'wait':
        this.#renew();
        this.#wait = this.#options.clock.after(effect.delay, () => this.#take({ type: 'due' }));
        return;
      case 'list':
        this.#spawn((signal) => this.#list(effect, signal));
        return;
      case 'replace':
        this.#replace();
        return;
      case 'watch':
        this.#spawn((signal) => this.#watch(effect, signal));
        return;
      case 'deliver':
        // Done by the one who asked, who has the object.
        return;
    }
  }

  /** Ends what runs and makes it unable to speak. */
  #renew(): AbortSignal {
    this.#running.abort();
    this.#wait?.cancel();
    this.#running = new AbortController();
    return this.#running.signal;
  }

  #spawn(work: (signal: AbortSignal) => Promise<void>): void {
    const signal = this.#renew();
    const task = work(signal).catch((error: unknown) => this.#failed(error, signal));
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }

  async #list(
    { limit, continueToken }: ListWatchEffect & { type: 'list' },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, kind, selection } = this.#options;
    if (continueToken === undefined) this.#pages = [];
    const page = await client.listPage(kind, {
      ...selection,
      ...(limit > 0 ? { limit } : {}),
      ...(continueToken === undefined ? {} : { continueToken }),
      signal,
    });
    if (signal.aborted) return;
    this.stats.lists += 1;
    this.#heard();
    for (const item of page.items) this.#pages.push(item);
    this.#take({ type: 'page', version: page.resourceVersion, continueToken: page.continueToken });
  }

  #replace(): void {
    const items = this.#pages;
    this.#pages = [];
    this.#contain(() => this.#options.target.replace(items));
    const { clock, random, relistInterval = 600_000 } = this.#options;
    this.#relist?.cancel();
    this.#relist = clock.after(relistInterval * (1 + random() / 5), () =>
      this.#take({ type: 'relist' }),
    );
  }

  async #watch(
    { version, timeoutSeconds }: ListWatchEffect & { type: 'watch' },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, kind, selection } = this.#options;
    this.stats.watches += 1;
    const events = client.watch(kind, {
      ...selection,
      resourceVersion: version,
      timeoutSeconds,
      signal,
    });
    for await (const event of events) {
      if (signal.aborted) return;
      this.#heard();
      if (event.type === 'ERROR') {
        this.#failed(errorOfEvent(event.object), signal, true);
        return;
      }
      this.#seen(event);
    }
    if (!signal.aborted) this.#take({ type: 'ended' });
  }

  #seen({ type, object }: WatchEvent<T>): void {
    const version = object.metadata?.resourceVersion ?? '';
    const effects = this.#take({ type: 'seen', version, isBookmark: type === 'BOOKMARK' });
    if (!effects.some((effect) => effect.type === 'deliver')) return;
    this.stats.events += 1;
    const { target } = this.#options;
    this.#contain(() => (type === 'DELETED' ? target.remove(object) : target.put(object)));
  }

  #failed(error: unknown, signal: AbortSignal, inStream = false): void {
    if (signal.aborted) return;
    this.stats.failures += 1;
    this.#log.warn(failureFields(error), inStream ? 'a watch was refused' : 'list or watch failed');
    this.#take({ type: 'failed', failure: failureOf(error, inStream) });
  }

  #contain(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.stats.targetErrors += 1;
      this.#log.error(failureFields(error), 'the target of a watch failed');
    }
  }

  #heard(): void {
    this.stats.lastHeard = this.#options.clock.now();
  }
}

/** The object of an `ERROR` event is a metav1.Status. */
function errorOfEvent(status: object): KubeError {
  const code = 'code' in status && typeof status.code === 'number' ? status.code : 0;
  return errorOfStatus(code, status);
}

function failureOf(error: unknown, inStream: boolean): Failure {
  return error instanceof KubeError
    ? {
        status: error.status,
        reason: error.reason,
        retryAfter: error.retryAfter,
        inStream,
      }
    : { status: 0, reason: 'Unknown', retryAfter: undefined, inStream };
}
