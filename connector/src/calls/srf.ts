import Srf from 'drachtio-srf';
import type { Clock } from '../base/clock.ts';
import { ConnectorError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type {
  Draft,
  Incoming,
  Received,
  Reply,
  Response,
  Sent,
  Signalling,
  SignallingUser,
} from './signalling.ts';

/**
 * drachtio-srf behind our own types: the only file of our calls that imports it. Of the library only its
 * client is used (frames, reconnect, messages), none of its Dialog class: that one loses every `modify`
 * after a refused re-INVITE, answers unknown requests with 200 and guesses at hold from the text of the SDP.
 */

interface Message {
  readonly method: string;
  readonly uri: string;
  readonly body?: string;
  get(name: string): string | undefined;
}

interface LibraryRequest extends Message {
  readonly source: string;
  readonly source_address: string;
  readonly stackDialogId?: string;
  on(event: 'cancel', listener: () => void): void;
  on(event: 'response', listener: (response: LibraryReply, ack: () => void) => void): void;
  cancel(callback: () => void): void;
}

interface LibraryReply extends Message {
  readonly status: number;
  readonly reason: string;
  readonly stackDialogId?: string;
}

interface LibraryResponse {
  readonly stackDialogId?: string;
  readonly msg: { status: number; reason: string };
  readonly agent: {
    sendResponse(
      response: LibraryResponse,
      options: object,
      callback: (error: unknown) => void,
    ): void;
  };
  send(
    status: number,
    reason: string | undefined,
    options: object,
    callback: (error: unknown) => void,
  ): void;
}

interface Library {
  readonly app: {
    readonly client: {
      readonly wp: { closing: boolean; reconnectVars: { retryTimer: NodeJS.Timeout | null } };
    };
  };
  connect(options: object): void;
  disconnect(): void;
  use(handler: (request: LibraryRequest, response: LibraryResponse) => void): void;
  use(method: string, handler: () => void): void;
  on(event: string, listener: (...values: unknown[]) => void): void;
  request(
    options: object,
    callback: (error: Error | null, request?: LibraryRequest) => void,
  ): unknown;
}

/** Methods taken outside of dialogs; the server answers the rest. */
const routed = [
  'invite',
  'options',
  'message',
  'info',
  'notify',
  'subscribe',
  'publish',
  'register',
  'refer',
];

/** Names that drachtio-srf does not expand (RFC 3261 §7.3.3 and its extensions). */
const compactNames = new Map([
  ['refer-to', 'r'],
  ['referred-by', 'b'],
  ['session-expires', 'x'],
  ['event', 'o'],
  ['content-encoding', 'e'],
]);

/** RFC 6086: `send` of drachtio-srf refuses statuses that are not in its table, and this one is not. */
const badInfoPackage = 469;

const connectLimit = 10_000;
/** The server answers commands at once; one that does not is not waited for. */
const closeLimit = 1000;
const retryMaxDelay = 1000;

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Connects to a drachtio server and stays connected. Rejects when that fails the first time. */
export async function connectSrf(
  options: ConnectOptions,
  user: SignallingUser,
): Promise<Signalling> {
  const signalling = new SrfSignalling(options, user);
  try {
    await signalling.connected;
  } catch (error) {
    await signalling.close();
    throw error;
  }
  return signalling;
}

class SrfSignalling implements Signalling {
  readonly connected: Promise<void>;
  readonly #library: Library;
  readonly #user: SignallingUser;
  readonly #log: Log;
  readonly #clock: Clock;
  /** Waits for the server's answer to a command: it never comes once the connection is gone. */
  readonly #waiting = new Set<(error: Error) => void>();
  #addresses: readonly string[] = [];
  #isConnected = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => undefined;

  constructor(options: ConnectOptions, user: SignallingUser) {
    this.#library = createLibrary();
    this.#user = user;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#library.use((request, response) => this.#onRequest(request, response));
    for (const method of routed) this.#library.use(method, () => undefined);
    this.#library.on('close', () => this.#onClose());
    this.#library.on('error', (error) => {
      this.#log.warn({ error: messageOf(error) }, 'connection to the SIP server failed');
    });
    this.connected = this.#connect(options);
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  #connect({ host, port, secret, clock }: ConnectOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = clock.after(connectLimit, () =>
        reject(new Error('no connection to the SIP server')),
      );
      this.#library.on('connect', (error, hostports) => {
        limit.cancel();
        if (error instanceof Error) return reject(error);
        this.#isConnected = true;
        this.#addresses = String(hostports).split(',');
        this.#log.debug({ addresses: this.#addresses }, 'connected to the SIP server');
        return resolve();
      });
      this.#library.connect({ host, port, secret, reconnect: { retryMaxDelay } });
    });
  }

  #onClose(): void {
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    for (const fail of this.#waiting) fail(gone('the connection to the SIP server is gone'));
    this.#waiting.clear();
    if (wasConnected && !this.#isClosed) this.#user.onLost();
  }

  #onRequest(request: LibraryRequest, response: LibraryResponse): void {
    const received = receivedOf(request);
    const incoming: Incoming = {
      request: received,
      respond: (answer) => this.#respond(response, answer),
      onCancelled: (listener) => request.on('cancel', listener),
    };
    try {
      this.#user.onRequest(incoming);
    } catch (error) {
      // The fault of one request must not end the others: an error thrown here ends the process.
      this.#log.error({ error: messageOf(error), method: received.method }, 'request failed');
      if (received.method !== 'ACK') incoming.respond({ status: 500 }).catch(() => undefined);
    }
  }

  /** A promise that also ends when the connection does. */
  #untilLost<T>(
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settled = () => {
        this.#waiting.delete(fail);
        if (this.#waiting.size === 0) this.#onIdle();
      };
      const fail = (error: Error) => {
        settled();
        reject(error);
      };
      this.#waiting.add(fail);
      try {
        start((value) => {
          settled();
          resolve(value);
        }, fail);
      } catch (error) {
        fail(gone('nothing could be sent', error));
      }
    });
  }

  #respond(response: LibraryResponse, answer: Response): Promise<string> {
    const { status, reason, headers = {}, body } = answer;
    return this.#untilLost((resolve, reject) => {
      const options = { headers: { ...headers }, ...(body === undefined ? {} : { body }) };
      const callback = (error: unknown) => {
        if (error) return reject(gone('the response was not sent', error));
        return resolve(response.stackDialogId ?? '');
      };
      if (status !== badInfoPackage) return response.send(status, reason, options, callback);
      Object.assign(response.msg, { status, reason });
      return response.agent.sendResponse(response, options, callback);
    });
  }

  send(draft: Draft, onReply: (reply: Reply) => void): Promise<Sent> {
    return this.#untilLost((resolve, reject) => {
      if (!this.#isConnected) return reject(gone('no connection to the SIP server'));
      this.#library.request(libraryOptions(draft), (error, request) => {
        if (error || !request) return reject(gone('the request was not sent', error));
        request.on('response', (reply, ack) => onReply(replyOf(reply, ack)));
        return resolve({
          uri: request.uri,
          header: (name) => headerOf(request, name),
          cancel: () => this.#cancel(request),
        });
      });
      return undefined;
    });
  }

  #cancel(request: LibraryRequest): void {
    // The server says NOK when the INVITE is already answered; its final response tells the same.
    if (this.#isConnected) request.cancel(() => undefined);
  }

  /** Waits for commands on their way, so that the last answer of a call goes out, then leaves. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#isConnected && this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        const limit = this.#clock.after(closeLimit, resolve);
        this.#onIdle = () => {
          limit.cancel();
          resolve();
        };
      });
    }
    this.#isClosed = true;
    const { wp } = this.#library.app.client;
    if (this.#isConnected) this.#library.disconnect();
    // Without a connection the library has no way to stop its attempts to make one.
    wp.closing = true;
    if (wp.reconnectVars.retryTimer) clearTimeout(wp.reconnectVars.retryTimer);
  }
}

function createLibrary(): Library {
  const library: unknown = new Srf();
  if (!isLibrary(library)) throw new Error('this is not the drachtio-srf that was expected');
  return library;
}

/** Its own type declarations leave out or misstate most of what is used here. */
function isLibrary(value: unknown): value is Library {
  return typeof value === 'object' && value !== null && 'app' in value && 'use' in value;
}

function gone(message: string, cause?: unknown): ConnectorError {
  const detail = cause === undefined || cause === null ? '' : `: ${messageOf(cause)}`;
  return new ConnectorError('CALL_GONE', `${message}${detail}`, { cause });
}

function libraryOptions(draft: Draft): object {
  return {
    method: draft.method,
    uri: draft.uri ?? 'sip:placeholder',
    headers: { ...draft.headers },
    ...(draft.body === undefined ? {} : { body: draft.body }),
    ...(draft.dialog === undefined ? {} : { stackDialogId: draft.dialog }),
    ...(draft.route === undefined ? {} : { proxy: draft.route }),
  };
}

function headerOf(message: Message, name: string): string | undefined {
  const value = message.get(name);
  if (value !== undefined) return value;
  const compact = compactNames.get(name.toLowerCase());
  return compact === undefined ? undefined : message.get(compact);
}

function receivedOf(request: LibraryRequest): Received {
  return {
    method: request.method,
    uri: request.uri,
    dialog: request.stackDialogId ?? '',
    source: request.source === 'network' ? 'network' : 'server',
    sourceAddress: request.source_address,
    body: request.body ?? '',
    header: (name) => headerOf(request, name),
  };
}

function replyOf(reply: LibraryReply, ack: () => void): Reply {
  return {
    status: reply.status,
    reason: reply.reason,
    dialog: reply.stackDialogId ?? '',
    body: reply.body ?? '',
    header: (name) => headerOf(reply, name),
    acknowledge: () => {
      try {
        ack();
      } catch {
        // The connection is gone and so is the dialog; its user is told by `onLost`.
      }
    },
  };
}
