import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { KubeClient, ListOptions } from './client.ts';
import type { ResourceKind } from './kinds.ts';
import { failureFields } from './kube-error.ts';
import { ListWatch, type ListWatchStats } from './list-watch.ts';
import { type KubeObject, keyOf, type ObjectKey } from './object.ts';
import { type Change, type IndexOf, Store } from './store.ts';

export interface CacheOptions<T extends KubeObject, Index extends string> {
  readonly client: Pick<KubeClient, 'listPage' | 'watch'>;
  readonly kind: ResourceKind<T>;
  /** Part of the collection; all of it otherwise. */
  readonly selection?: ListOptions;
  readonly indexes?: Readonly<Partial<Record<Index, IndexOf<T>>>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** A whole list at least so often, should a watch ever lose something; ms. */
  readonly relistInterval?: number;
}

/** What others may do with a cache. Objects are shared: they are read, never changed. */
export interface Cache<T extends KubeObject, Index extends string = never> {
  readonly kind: ResourceKind<T>;
  /** Until then, what is missing here may well exist. */
  readonly hasSynced: boolean;
  readonly stats: Readonly<ListWatchStats>;
  readonly size: number;
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
  by(index: Index, value: string): readonly T[];
  /**
   * Tells every change from now on, and first what is there already. A listener puts keys into a queue and
   * does nothing else; what it throws is logged. Returns the way out.
   */
  onChange(listener: (change: Change<T>) => void): () => void;
  start(): void;
  /** Resolves when the first whole list is in. */
  whenSynced(): Promise<void>;
  stop(): Promise<void>;
}

/** A copy of a collection that follows the API server; empty until started. */
export function createCache<T extends KubeObject, Index extends string = never>(
  options: CacheOptions<T, Index>,
): Cache<T, Index> {
  return new WatchedCache(options);
}

class WatchedCache<T extends KubeObject, Index extends string> implements Cache<T, Index> {
  readonly kind: ResourceKind<T>;
  readonly #store: Store<T, Index>;
  readonly #source: ListWatch<T>;
  readonly #log: Log;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor({ indexes, ...options }: CacheOptions<T, Index>) {
    this.kind = options.kind;
    this.#log = options.log.child({ kind: options.kind.kind });
    this.#store = new Store<T, Index>(indexes);
    this.#source = new ListWatch({
      ...options,
      target: {
        replace: (items) => this.#replace(items),
        put: (object) => this.#tell(this.#store.put(lean(object))),
        remove: (object) => {
          const change = this.#store.remove(keyOf(object));
          if (change) this.#tell(change);
        },
      },
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get stats(): Readonly<ListWatchStats> {
    return this.#source.stats;
  }

  get size(): number {
    return this.#store.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#store.get(key);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  by(index: Index, value: string): readonly T[] {
    return this.#store.by(index, value);
  }

  onChange(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    for (const object of this.#store.list())
      this.#tellOne(listener, { key: keyOf(object), before: undefined, after: object });
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    this.#source.start();
  }

  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  stop(): Promise<void> {
    return this.#source.stop();
  }

  #replace(items: readonly T[]): void {
    for (const change of this.#store.replace(items.map(lean))) this.#tell(change);
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) this.#tellOne(listener, change);
  }

  #tellOne(listener: (change: Change<T>) => void, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#log.error(failureFields(error), 'a listener of a cache failed');
    }
  }
}

/** Field ownership is half of the memory and read by nobody here. */
function lean<T extends KubeObject>(object: T): T {
  const { metadata } = object;
  if (!metadata?.managedFields) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}
