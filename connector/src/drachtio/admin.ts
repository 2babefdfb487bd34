import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { DialogView } from '../sip/create-user-agent.ts';

/** What can be seen and done; `owner` is the name of an application, as `node@gw-1`. */
export interface AdminDialogs {
  list(owner: string | undefined): readonly DialogView[];
  /** Ends it with a BYE. False when there is none of that id. */
  end(id: string): boolean;
}

export interface AdminOptions {
  /** Loopback: what is told here is not encrypted. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly secret: string;
  readonly log: Log;
}

/** Status, what is sent as JSON, and for 405 the method there is. */
type Answer = [status: number, answer?: unknown, allowed?: string];

/** Few ask, and briefly; in ms. */
const requestTimeout = 5_000;
const mostConnections = 16;

/**
 * `GET /dialogs?owner=node@gw-1` and `DELETE /dialogs/<id>` for applications that compare what they saved
 * with what is there (`dialog-restore.md` 6.7, 6.8). The secret of the applications is the bearer token.
 */
export class Admin {
  readonly #options: AdminOptions;
  readonly #dialogs: AdminDialogs;
  readonly #server: Server;

  constructor(options: AdminOptions, dialogs: AdminDialogs) {
    this.#options = options;
    this.#dialogs = dialogs;
    this.#server = createServer({ requestTimeout, headersTimeout: requestTimeout });
    this.#server.maxConnections = mostConnections;
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
  }

  /** Resolves to the port; rejects when it cannot be bound. */
  async start(): Promise<number> {
    this.#server.listen(this.#options.port, this.#options.address);
    await once(this.#server, 'listening');
    this.#server.on('error', (error) => {
      this.#options.log.error({ error: error.message }, 'accepting failed');
    });
    const bound = this.#server.address();
    return typeof bound === 'object' && bound ? bound.port : this.#options.port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const [status, answer, allowed] = this.#tryAnswerTo(request);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (allowed !== undefined) response.setHeader('Allow', allowed);
    if (answer === undefined) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  }

  #tryAnswerTo(request: IncomingMessage): Answer {
    try {
      return this.#answerTo(request);
    } catch (error) {
      // An error thrown here would end the process and with it all calls.
      this.#options.log.error({ error: messageOf(error) }, 'admin request failed');
      return [500];
    }
  }

  #answerTo({ method, url = '', headers }: IncomingMessage): Answer {
    if (!isSame(headers.authorization ?? '', `Bearer ${this.#options.secret}`)) return [401];
    const [path = '', query] = url.split('?', 2);
    const id = /^\/dialogs\/([^/]*)$/.exec(path)?.[1];
    if (id !== undefined) {
      if (method !== 'DELETE') return [405, undefined, 'DELETE'];
      return [this.#dialogs.end(decoded(id)) ? 204 : 404];
    }
    if (path !== '/dialogs') return [404];
    if (method !== 'GET') return [405, undefined, 'GET'];
    return [200, this.#dialogs.list(new URLSearchParams(query).get('owner') ?? undefined)];
  }
}

/** Takes as long for every wrong one. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(expected));
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Empty, which no dialog is called, where the escapes are none. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
