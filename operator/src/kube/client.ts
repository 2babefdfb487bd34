import type { ResourceKind } from './kinds.ts';
import type { KubeObject, ObjectRef } from './object.ts';

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface PageOptions extends ListOptions {
  /** Objects per page; without it the whole collection comes at once. */
  readonly limit?: number;
  /** Of the page before. */
  readonly continueToken?: string;
  readonly signal?: AbortSignal;
}

/** One page of a list. `resourceVersion` is where a watch of the whole list begins. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Set where there are more pages. */
  readonly continueToken?: string;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  /** After which the server ends the watch. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** What a watch tells; `ERROR` carries a metav1.Status. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface DeleteOptions {
  /** Deletes this very object, not one of the same name made since: 409 otherwise. */
  readonly uid?: string;
  /** Deletes only if nothing changed since it was read: 409 otherwise. */
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun?: boolean;
  /** As of `WriteOptions`. */
  readonly fence?: () => boolean;
}

export interface WriteOptions {
  /** Who owns the fields that are written. */
  readonly fieldManager: string;
  readonly subresource?: 'status' | 'scale';
  readonly dryRun?: boolean;
  /** Asked right before each attempt, for a 429 may be waited out; false rejects with `NotLeader`. */
  readonly fence?: () => boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Takes fields that another manager owns, instead of a 409. */
  readonly force?: boolean;
}

export type Patch =
  /** RFC 7386; lists are replaced. */
  | { readonly type: 'merge'; readonly body: object }
  /** RFC 6902; a `test` operation makes it conditional. */
  | { readonly type: 'json'; readonly body: readonly object[] }
  /** Built-in kinds only; lists are merged by their keys. */
  | { readonly type: 'strategic'; readonly body: object };

/** The namespace is taken from the object's metadata, and so is the name. */
export interface KubeClient {
  /** Rejects with KubeError 404 where there is none. */
  get<T extends KubeObject>(kind: ResourceKind<T>, ref: ObjectRef): Promise<T>;
  /** As `get`, but undefined where there is none. */
  find<T extends KubeObject>(kind: ResourceKind<T>, ref: ObjectRef): Promise<T | undefined>;
  /** All objects, page by page. */
  list<T extends KubeObject>(kind: ResourceKind<T>, options?: ListOptions): Promise<readonly T[]>;
  listPage<T extends KubeObject>(kind: ResourceKind<T>, options: PageOptions): Promise<Page<T>>;
  /** Events until the server ends the watch; throws KubeError when it cannot be opened or breaks. */
  watch<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: WriteOptions): Promise<T>;
  /** PUT: refused with 409 unless `metadata.resourceVersion` is the newest. */
  replace<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: WriteOptions,
  ): Promise<T>;
  /** Server-side apply: the object holds exactly the fields that `fieldManager` wants to own. */
  applyServerSide<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: ApplyOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    kind: ResourceKind<T>,
    ref: ObjectRef,
    options: WriteOptions & { readonly patch: Patch },
  ): Promise<T>;
  /** Resolves when the deletion is accepted; rejects with KubeError 404 or 409. */
  delete(kind: ResourceKind, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** Ends what is under way with `Aborted` and closes all connections. Idempotent. */
  close(): Promise<void>;
}
