import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** A request that the test answers by hand. */
export class Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly socket: Socket;
  readonly #response: ServerResponse;
  /** The client closed the connection, or we did. */
  isClosed = false;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    const url = new URL(request.url ?? '', 'http://api');
    this.method = request.method ?? '';
    this.path = url.pathname;
    this.query = url.searchParams;
    this.headers = request.headers;
    this.body = body === '' ? undefined : JSON.parse(body);
    this.socket = request.socket;
    this.#response = response;
    response.on('close', () => (this.isClosed = true));
  }

  get isWatch(): boolean {
    return this.query.get('watch') === 'true';
  }

  /** Answers with a body, JSON unless it is text. */
  answer(status: number, body: object | string, headers: Record<string, string> = {}): void {
    this.#response.writeHead(status, headers);
    this.#response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  list(version: string, items: readonly object[], more?: string): void {
    this.answer(200, {
      kind: 'PodList',
      metadata: { resourceVersion: version, ...(more ? { continue: more } : {}) },
      items,
    });
  }

  status(code: number, reason: string, headers: Record<string, string> = {}): void {
    this.answer(
      code,
      { kind: 'Status', status: 'Failure', code, reason, message: reason },
      headers,
    );
  }

  /** Sends the head of a watch; then events are sent. */
  open(): void {
    this.#response.writeHead(200, { 'content-type': 'application/json' });
    this.#response.flushHeaders();
  }

  send(type: string, object: object): void {
    this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  raw(text: string): void {
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  /** RST instead of FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** An HTTP server in the place of the API server, whose every answer is written by the test. */
export class ScriptedApi {
  readonly kubeconfig: string;
  readonly tokenFile: string;
  /** All that came, in order. */
  readonly requests: Exchange[] = [];
  /** Connections accepted since the start. */
  accepted = 0;
  readonly #server = createServer((request, response) => this.#take(request, response));
  readonly #sockets = new Set<Socket>();
  readonly #folder: string;
  #answered = 0;

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'parley-scripted-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig');
    this.tokenFile = join(this.#folder, 'token');
    this.#server.on('connection', (socket) => {
      this.accepted += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<ScriptedApi> {
    const api = new ScriptedApi();
    await new Promise<void>((done) => api.#server.listen(0, '127.0.0.1', done));
    api.#writeKubeconfig();
    return api;
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The next request, in the order of arrival; each is handed out once. */
  async next(what = 'a request'): Promise<Exchange> {
    await until(what, 8000, () => this.requests.length > this.#answered);
    const exchange = this.requests[this.#answered]!;
    this.#answered += 1;
    return exchange;
  }

  async nextList(): Promise<Exchange> {
    const exchange = await this.next('a list');
    if (exchange.isWatch || exchange.method !== 'GET')
      throw new Error(`a list was awaited, ${exchange.method} ${exchange.path} came`);
    return exchange;
  }

  async nextWatch(): Promise<Exchange> {
    const exchange = await this.next('a watch');
    if (!exchange.isWatch) throw new Error(`a watch was awaited, ${exchange.path} came`);
    return exchange;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.setEncoding('utf8');
    request.on('error', () => undefined);
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => this.requests.push(new Exchange(request, response, body)));
  }

  #writeKubeconfig(): void {
    const { port } = this.#server.address() as AddressInfo;
    writeFileSync(this.tokenFile, 'token-1\n');
    const config = {
      clusters: [
        // The library refuses plain HTTP unless told that nothing is verified.
        {
          name: 'test',
          cluster: { server: `http://127.0.0.1:${port}/below`, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [
        {
          name: 'test',
          user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: this.tokenFile } } },
        },
      ],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
      'current-context': 'test',
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
  }
}
