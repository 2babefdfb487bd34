import { once } from 'node:events';
import library from 'drachtio-srf';

/** What the tests use of the unmodified drachtio-srf, whose own type declarations are incomplete. */

interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: string;
  readonly source_address: string;
  readonly source_port: number;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

export interface Request extends Message {
  readonly method: string;
  readonly uri: string;
  readonly protocol: string;
  readonly receivedOn?: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
  readonly isNewInvite: boolean;
  on(event: 'cancel', listener: (request: Message) => void): void;
  on(event: 'response', listener: (response: Response, ack: () => void) => void): void;
  on(event: 'update', listener: (request: Request, response: Reply) => void): void;
  cancel(options?: object): void;
}

export interface Response extends Message {
  readonly status: number;
  readonly reason: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
}

/** What answers a request. */
export interface Reply {
  send(
    status: number,
    options?: object,
    callback?: (error: unknown, sent: Response) => void,
    onPrack?: (request: Request) => void,
  ): void;
}

export interface Dialog {
  readonly id: string;
  readonly type: 'uac' | 'uas';
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly sdp: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  readonly req: Request;
  readonly res: Response;
  readonly connected: boolean;
  readonly onHold: boolean;
  readonly other?: Dialog;
  on(event: string, listener: (request: Request, response: Reply & string) => void): this;
  once(event: string, listener: (request: Request, response: Reply & string) => void): this;
  destroy(options?: { headers?: object }): Promise<Request>;
  modify(sdp: string | { noAck: boolean }, options?: object): Promise<string>;
  request(options: {
    method: string;
    headers?: object;
    body?: string;
    auth?: object;
  }): Promise<Response>;
}

interface ProxyResult {
  readonly connected: boolean;
  readonly finalStatus: number;
  readonly responses: readonly { readonly msgs: readonly { readonly status: number }[] }[];
}

interface Callbacks {
  cbRequest?: (error: unknown, request: Request) => void;
  cbProvisional?: (response: Response) => void;
}

export type Handler = (request: Request, response: Reply) => void;

export interface Srf {
  connect(options: object): void;
  disconnect(): void;
  use(method: string, handler: Handler): void;
  on(event: string, listener: (...values: never[]) => void): void;
  createUAS(request: Request, response: Reply, options: object): Promise<Dialog>;
  createUAC(uri: string, options: object, callbacks?: Callbacks): Promise<Dialog>;
  createB2BUA(
    request: Request,
    response: Reply,
    uri: string,
    options?: object,
  ): Promise<{ uas: Dialog; uac: Dialog }>;
  proxyRequest(
    request: Request,
    destination: string | string[],
    options?: object,
  ): Promise<ProxyResult>;
  request(uri: string, options: object): Promise<Request>;
  request(
    uri: string,
    options: object,
    callback: (error: unknown, request?: Request) => void,
  ): void;
  readonly app: {
    readonly client: {
      readonly idle: boolean;
      request(options: object, callback: (error: Error | null) => void): void;
    };
  };
}

export function createSrf(tags?: string[]): Srf {
  const Library = library as unknown as new (tags?: string[]) => Srf;
  return new Library(tags);
}

/** Resolves when the server has authenticated the client and taken in its routes. */
export async function connected(srf: Srf, port: number, secret: string): Promise<void> {
  srf.on('error', () => undefined);
  const connection = once(srf as never, 'connect');
  srf.connect({ host: '127.0.0.1', port, secret, reconnect: { retryMaxDelay: 100 } });
  const [error] = (await connection) as [Error | null];
  if (error) throw error;
  await flushed(srf);
}

/** Resolves when the server has worked through everything the client sent so far. */
export async function flushed(srf: Srf): Promise<void> {
  await new Promise<void>((resolve) => {
    // Commands are taken in order; this one is refused, for nobody knows the dialog.
    const options = { method: 'INFO', stackDialogId: 'none;from-tag=none', headers: {} };
    srf.app.client.request(options, () => resolve());
  });
}

/** The final response to a request that was sent. */
export function finalOf(request: Request): Promise<Response> {
  return new Promise((resolve) => {
    request.on('response', (response) => {
      if (response.status >= 200) resolve(response);
    });
  });
}
