import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Access } from './access.ts';

/**
 * The connections to the API server, shared by all requests: the client library would make a new
 * TLS connection for each. HTTP/1.1, because a lost HTTP/2 connection takes every watch with it
 * unseen. A watch holds its connection, so watches have a pool of their own.
 */
export class Connections {
  #made:
    | { readonly fingerprint: string; readonly requests: Dispatcher; readonly watches: Dispatcher }
    | undefined;
  readonly #retired = new Set<Dispatcher>();

  /** The pool for this access; when certificates change, old connections end with their requests. */
  pool(access: Access, use: 'requests' | 'watches'): Dispatcher {
    if (this.#made?.fingerprint !== access.fingerprint) {
      this.#retire();
      this.#made = {
        fingerprint: access.fingerprint,
        requests: dispatcherOf(access, maxConnections),
        watches: dispatcherOf(access, null),
      };
    }
    return this.#made[use];
  }

  /** Requests under way fail. Idempotent. */
  async close(): Promise<void> {
    this.#retire();
    await Promise.allSettled([...this.#retired].map((dispatcher) => dispatcher.destroy()));
  }

  /** Requests and watches under way come to their end by themselves. */
  #retire(): void {
    const { requests, watches } = this.#made ?? {};
    this.#made = undefined;
    for (const dispatcher of [requests, watches]) if (dispatcher) void this.#end(dispatcher);
  }

  async #end(dispatcher: Dispatcher): Promise<void> {
    this.#retired.add(dispatcher);
    await Promise.allSettled([dispatcher.close()]);
    this.#retired.delete(dispatcher);
  }
}

/** Enough for hundreds of requests a second; the server's fairness queues see few connections. */
const maxConnections = 4;

function dispatcherOf({ tls, proxy }: Access, connections: number | null): Dispatcher {
  const options = {
    connections,
    allowH2: false,
    pipelining: 1,
    // Below the 90 s after which the API server closes an idle connection.
    keepAliveTimeout: 45_000,
    keepAliveMaxTimeout: 45_000,
  };
  const connect = { timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 };
  return proxy === undefined
    ? new Agent({ ...options, connect: { ...connect, ...tls } })
    : new ProxyAgent({ ...options, uri: proxy, requestTls: { ...connect, ...tls } });
}
