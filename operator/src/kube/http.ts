import type { Clock } from '@parley/connector/base/clock';
import type { Dispatcher } from 'undici';
import { type Access, type AccessOptions } from './access.ts';
import { Connections } from './connections.ts';
import { Credentials } from './credentials.ts';
import { createDeadline, type Deadline, failureOf, pause, unlessAborted } from './deadline.ts';
import { errorOfStatus, KubeError, localError } from './kube-error.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Asked right before each attempt; false fails with `NotLeader`. */
  readonly fence?: (() => boolean) | undefined;
}

/** One answered or failed attempt, for metrics; `status` is 0 where there was no answer. */
export interface RequestSample {
  readonly method: HttpRequest['method'] | 'WATCH';
  readonly status: number;
  readonly duration: number;
}

export interface HttpOptions extends AccessOptions {
  readonly clock: Clock;
  /** Of one attempt, ms. */
  readonly timeout?: number;
  readonly onRequest?: (sample: RequestSample) => void;
}

/** A 429 is waited for this often, and never longer than this in one piece. */
const maxAttempts = 5;
const longestWait = 30_000;

/** JSON over the shared connections: authentication, time-outs, Retry-After. Fails with KubeError only. */
export class Http {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onRequest: (sample: RequestSample) => void;
  readonly #credentials: Credentials;
  readonly #connections = new Connections();
  readonly #closing = new AbortController();

  constructor({ clock, timeout = 15_000, onRequest = () => undefined, ...access }: HttpOptions) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#onRequest = onRequest;
    this.#credentials = new Credentials(access, clock);
  }

  /** The parsed body of a 2xx answer. */
  async json(request: HttpRequest): Promise<unknown> {
    return this.#withRetries(request, async () => {
      const deadline = createDeadline(this.#clock, this.#timeout, [
        request.signal,
        this.#closing.signal,
      ]);
      try {
        const answer = await this.#send(request, deadline, 'requests');
        return parsed(await answer.body.text());
      } catch (error) {
        throw failureOf(error, deadline.signal);
      } finally {
        deadline.release();
      }
    });
  }

  /**
   * The chunks of a 2xx answer as they come. Ends with `TimedOut` when nothing came for `silence`
   * ms: a peer that vanished sends no FIN, and TCP alone would wait for many minutes.
   */
  async *stream(request: HttpRequest, silence: number): AsyncGenerator<Uint8Array, void> {
    const deadline = createDeadline(this.#clock, this.#timeout, [
      request.signal,
      this.#closing.signal,
    ]);
    try {
      const answer = await this.#withRetries(request, () => {
        deadline.extend(this.#timeout);
        return this.#send(request, deadline, 'watches');
      });
      deadline.extend(silence);
      const chunks: AsyncIterable<Uint8Array> = answer.body;
      for await (const chunk of chunks) {
        deadline.extend(silence);
        yield chunk;
      }
    } catch (error) {
      throw failureOf(error, deadline.signal);
    } finally {
      deadline.release();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connections.close();
  }

  async #withRetries<T>(request: HttpRequest, attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        const wait = count < maxAttempts ? waitFor(request, error, count) : undefined;
        if (wait === undefined) throw error;
        await this.#pause(wait, request.signal);
      }
    }
  }

  async #pause(delay: number, given: AbortSignal | undefined): Promise<void> {
    const signal = given ? AbortSignal.any([this.#closing.signal, given]) : this.#closing.signal;
    await pause(this.#clock, delay, signal);
    if (signal.aborted) throw localError('Aborted', 'the request was given up');
  }

  /** Resolves at the head of a 2xx answer. */
  async #send(
    request: HttpRequest,
    deadline: Deadline,
    use: 'requests' | 'watches',
  ): Promise<Dispatcher.ResponseData> {
    const started = this.#clock.now();
    const method = use === 'watches' ? 'WATCH' : request.method;
    const access = await unlessAborted(deadline.signal, this.#credentials.current());
    if (request.fence?.() === false) throw localError('NotLeader', 'this process does not lead');
    let status = 0;
    try {
      const answer = await this.#connections
        .pool(access, use)
        .request(this.#optionsOf(request, access, deadline.signal));
      status = answer.statusCode;
      if (status >= 200 && status < 300) return answer;
      if (status === 401) this.#credentials.forget(access);
      throw errorOfStatus(
        status,
        parsed(await answer.body.text()),
        retryAfterOf(answer.headers['retry-after'], this.#clock.wall()),
      );
    } catch (error) {
      throw failureOf(error, deadline.signal);
    } finally {
      this.#onRequest({ method, status, duration: this.#clock.now() - started });
    }
  }

  #optionsOf(
    { method, path, body, contentType = 'application/json' }: HttpRequest,
    { server, headers }: Access,
    signal: AbortSignal,
  ): Dispatcher.RequestOptions {
    return {
      origin: server.origin,
      path: `${server.pathname.replace(/\/$/, '')}${path}`,
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'parley-operator',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
      // The deadline is ours alone.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
  }
}

/** How long to wait before the next attempt; undefined where there is none. */
function waitFor(request: HttpRequest, error: unknown, count: number): number | undefined {
  if (!(error instanceof KubeError)) return undefined;
  // The server did nothing yet, whatever the method was.
  if (error.retryAfter !== undefined && (error.status === 429 || error.status >= 500))
    return Math.min(error.retryAfter, longestWait);
  if (count > 1) return undefined;
  // The token was rotated a moment ago, or an idle connection was closed as we took it.
  if (error.status === 401) return 0;
  return error.reason === 'ConnectionFailed' && request.method === 'GET' ? 0 : undefined;
}

function retryAfterOf(header: string | string[] | undefined, wall: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - wall);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
