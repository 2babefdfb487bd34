import type { Log } from '@parley/connector/base/log';
import type {
  ApplyOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  Page,
  PageOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { Http, type HttpOptions, type HttpRequest } from './http.ts';
import { apiVersionOf, pathOf, type ResourceKind } from './kinds.ts';
import { isNotFound, localError } from './kube-error.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { jsonLines } from './watch-lines.ts';
import { isListOf, isObjectOf, isWatchEventOf } from './wire.ts';

export interface KubeClientOptions extends HttpOptions {
  readonly log: Log;
  /** A watch on which nothing came for so long, not even a bookmark (sent each minute), is given up; ms. */
  readonly watchSilence?: number;
}

/** Connects on first use; by kubeconfig, or as the pod's service account. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  return new HttpKubeClient(options);
}

const pageSize = 500;

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const satisfies Record<Patch['type'], string>;

const eventTypes = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

class HttpKubeClient implements KubeClient {
  readonly #http: Http;
  readonly #watchSilence: number;

  constructor({ watchSilence = 180_000, ...options }: KubeClientOptions) {
    this.#http = new Http(options);
    this.#watchSilence = watchSilence;
  }

  get<T extends KubeObject>(kind: ResourceKind<T>, ref: ObjectRef): Promise<T> {
    return this.#object<T>({ method: 'GET', path: pathOf(kind, ref) });
  }

  async find<T extends KubeObject>(kind: ResourceKind<T>, ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get(kind, ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: ListOptions = {},
  ): Promise<readonly T[]> {
    const items: T[] = [];
    let token: string | undefined;
    do {
      const page: Page<T> = await this.listPage(kind, {
        ...options,
        limit: pageSize,
        ...(token === undefined ? {} : { continueToken: token }),
      });
      items.push(...page.items);
      token = page.continueToken;
    } while (token !== undefined);
    return items;
  }

  async listPage<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: PageOptions,
  ): Promise<Page<T>> {
    const path = withQuery(pathOf(kind, options), {
      ...selectorsOf(options),
      limit: options.limit,
      continue: options.continueToken,
    });
    const body = await this.#http.json({
      method: 'GET',
      path,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return pageOf(kind, body);
  }

  async *watch<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void> {
    const path = withQuery(pathOf(kind, options), {
      ...selectorsOf(options),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
    });
    const chunks = this.#http.stream(
      { method: 'GET', path, signal: options.signal },
      this.#watchSilence,
    );
    for await (const line of jsonLines(chunks)) {
      const event = eventOf<T>(line);
      if (event) yield event;
    }
  }

  create<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: WriteOptions,
  ): Promise<T> {
    const { namespace } = object.metadata ?? {};
    const path = pathOf(kind, namespace === undefined ? {} : { namespace });
    return this.#object<T>({
      method: 'POST',
      path: withQuery(path, writeQuery(options)),
      body: withType(kind, object),
      fence: options.fence,
    });
  }

  replace<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: WriteOptions,
  ): Promise<T> {
    const path = pathOf(kind, targetOf(object, options));
    return this.#object<T>({
      method: 'PUT',
      path: withQuery(path, writeQuery(options)),
      body: withType(kind, object),
      fence: options.fence,
    });
  }

  applyServerSide<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: ApplyOptions,
  ): Promise<T> {
    const path = withQuery(pathOf(kind, targetOf(object, options)), {
      ...writeQuery(options),
      force: options.force,
    });
    return this.#object<T>({
      method: 'PATCH',
      path,
      body: withType(kind, object),
      contentType: 'application/apply-patch+yaml',
      fence: options.fence,
    });
  }

  patch<T extends KubeObject>(
    kind: ResourceKind<T>,
    ref: ObjectRef,
    { patch, ...options }: WriteOptions & { readonly patch: Patch },
  ): Promise<T> {
    const { subresource } = options;
    const path = pathOf(kind, { ...ref, ...(subresource ? { subresource } : {}) });
    return this.#object<T>({
      method: 'PATCH',
      path: withQuery(path, writeQuery(options)),
      body: patch.body,
      contentType: patchTypes[patch.type],
      fence: options.fence,
    });
  }

  async delete(kind: ResourceKind, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagation, dryRun, fence } = options;
    await this.#http.json({
      method: 'DELETE',
      path: pathOf(kind, ref),
      fence,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, resourceVersion },
        gracePeriodSeconds,
        propagationPolicy: propagation,
        ...(dryRun ? { dryRun: ['All'] } : {}),
      },
    });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #object<T extends KubeObject>(request: HttpRequest): Promise<T> {
    const body = await this.#http.json(request);
    if (isObjectOf<T>(body)) return body;
    throw localError('BadAnswer', 'the API server answered no object');
  }
}

function selectorsOf({ labelSelector, fieldSelector }: ListOptions): Query {
  return { labelSelector, fieldSelector };
}

function writeQuery({ fieldManager, dryRun }: WriteOptions): Query {
  return { fieldManager, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined };
}

function targetOf(
  { metadata }: KubeObject,
  { subresource }: WriteOptions,
): { namespace?: string; name?: string; subresource?: string } {
  const { namespace, name } = metadata ?? {};
  if (!name) throw localError('BadAnswer', 'an object to write has no name');
  return {
    name,
    ...(namespace ? { namespace } : {}),
    ...(subresource ? { subresource } : {}),
  };
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) text.set(name, String(value));
  return text.size === 0 ? path : `${path}?${text.toString()}`;
}

/** Kind and version are required in a body, and missing in the items of a list. */
function withType<T extends KubeObject>(kind: ResourceKind<T>, object: T): T {
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function pageOf<T extends KubeObject>(kind: ResourceKind<T>, body: unknown): Page<T> {
  if (!isListOf<T>(body)) throw localError('BadAnswer', 'the API server answered no list');
  const { metadata, items } = body;
  return {
    items: (items ?? []).map((item) => withType(kind, item)),
    resourceVersion: metadata?.resourceVersion ?? '',
    ...(metadata?.continue ? { continueToken: metadata.continue } : {}),
  };
}

/** Undefined for a type that did not exist when this was written. */
function eventOf<T extends KubeObject>(line: unknown): WatchEvent<T> | undefined {
  if (isWatchEventOf<T>(line)) return eventTypes.has(line.type) ? line : undefined;
  throw localError('BadAnswer', 'a line of a watch is no event');
}
