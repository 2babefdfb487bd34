import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  formatMessage,
  header,
  headers,
  methodOf,
  parameterOf,
  parseMessage,
  type SipMessage,
  statusOf,
  targetOf,
  uriOf,
} from './message.ts';
import { AnswerRepeater, ClientTransaction } from './transactions.ts';

/** A message on the wire, for those who watch. */
export interface Trace {
  /** `performance.now()`. */
  readonly at: number;
  readonly direction: 'sent' | 'received';
  /** Port of the other side. */
  readonly peerPort: number;
  readonly message: SipMessage;
}

export interface SignallingOptions {
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  readonly user: string;
  readonly onTrace: (trace: Trace) => void;
}

export interface IncomingRequest {
  readonly request: SipMessage;
  readonly method: string;
  /** Sends an answer; `tag` goes into To unless it has one. A final one to an INVITE is repeated. */
  respond(status: number, answer?: Answer): void;
}

export interface Answer {
  readonly tag?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** An INVITE's final answer was not acknowledged. */
  readonly onTimeout?: () => void;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly uri: string;
  /** With From, To, Call-ID and CSeq; Via, Max-Forwards and Contact are added. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
  /** Of the request that a CANCEL cancels. */
  readonly branch?: string;
  readonly onResponse: (response: SipMessage, status: number) => void;
  /** No answer in 32 s. */
  readonly onTimeout: () => void;
}

const remembered = 32_000;
const reasons: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  405: 'Method Not Allowed',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  603: 'Decline',
};

interface ServerTransaction {
  readonly method: string;
  last: (() => void) | undefined;
  repeater: AnswerRepeater | undefined;
}

interface Sent {
  readonly transaction: ClientTransaction;
  readonly of: OutgoingRequest;
}

/** SIP over one UDP socket: transactions, and nothing of calls. */
export class Signalling {
  readonly #options: SignallingOptions;
  readonly #socket: Socket;
  readonly #clients = new Map<string, Sent>();
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #onRequest: (incoming: IncomingRequest) => void = () => undefined;

  static async open(options: SignallingOptions): Promise<Signalling> {
    const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(options.port, options.address);
    await once(socket, 'listening');
    return new Signalling(options, socket);
  }

  private constructor(options: SignallingOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on('message', (datagram, from) => this.#received(datagram, from));
    socket.on('error', () => undefined);
  }

  /** Who gets the requests that come. */
  listen(onRequest: (incoming: IncomingRequest) => void): void {
    this.#onRequest = onRequest;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** `sip:user@address:port`. */
  get uri(): string {
    return `sip:${this.#options.user}@${this.#sentBy}`;
  }

  get #sentBy(): string {
    const { address } = this.#options;
    return `${address.includes(':') ? `[${address}]` : address}:${this.port}`;
  }

  /** Sends a request; returns the branch it is known by. An ACK is sent once and never answered. */
  request(of: OutgoingRequest): string {
    const branch = of.branch ?? `z9hG4bK${randomBytes(8).toString('hex')}`;
    const message: SipMessage = {
      startLine: `${of.method} ${of.uri} SIP/2.0`,
      headers: [
        ['Via', `SIP/2.0/UDP ${this.#sentBy};rport;branch=${branch}`],
        ['Max-Forwards', '70'],
        ...of.headers,
        ['Contact', `<${this.uri}>`],
      ],
      body: of.body ?? '',
    };
    const destination = destinationOf(message, of.uri);
    const send = () => this.#send(message, destination);
    if (of.method === 'ACK') {
      send();
      return branch;
    }
    const key = `${branch} ${of.method}`;
    const transaction = new ClientTransaction({
      request: message,
      isInvite: of.method === 'INVITE',
      send,
      onTimeout: () => {
        this.#clients.delete(key);
        of.onTimeout();
      },
    });
    this.#clients.set(key, { transaction, of });
    return branch;
  }

  close(): void {
    for (const { transaction } of this.#clients.values()) transaction.stop();
    for (const { repeater } of this.#servers.values()) repeater?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.close();
  }

  #send(message: SipMessage, { host, port }: { host: string; port: number }): void {
    this.#options.onTrace({
      at: performance.now(),
      direction: 'sent',
      peerPort: port,
      message,
    });
    this.#socket.send(formatMessage(message), port, host.replaceAll(/[[\]]/g, ''));
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const message = parseMessage(datagram);
    if (!message) return;
    this.#options.onTrace({
      at: performance.now(),
      direction: 'received',
      peerPort: from.port,
      message,
    });
    const status = statusOf(message);
    if (status === undefined) this.#requested(message, from);
    else this.#answered(message, status);
  }

  #answered(response: SipMessage, status: number): void {
    const key = `${parameterOf(header(response, 'Via'), 'branch')} ${methodOf(response)}`;
    const sent = this.#clients.get(key);
    if (!sent) return;
    if (status < 200) {
      sent.transaction.provisional();
    } else {
      sent.transaction.stop();
      this.#later(() => this.#clients.delete(key));
      if (status >= 300 && sent.of.method === 'INVITE') this.#acknowledge(sent, response);
    }
    sent.of.onResponse(response, status);
  }

  /** The ACK of a refusal belongs to the transaction of its INVITE (§17.1.1.3). */
  #acknowledge({ transaction, of }: Sent, response: SipMessage): void {
    const { request } = transaction;
    const copied = ['Via', 'Max-Forwards', 'From', 'Call-ID', 'Route'];
    const message: SipMessage = {
      startLine: `ACK ${of.uri} SIP/2.0`,
      headers: [
        ...request.headers.filter(([name]) => copied.includes(name)),
        ['To', header(response, 'To')],
        ['CSeq', `${header(request, 'CSeq').split(' ')[0]} ACK`],
      ],
      body: '',
    };
    this.#send(message, destinationOf(message, of.uri));
  }

  #requested(request: SipMessage, from: RemoteInfo): void {
    const method = methodOf(request);
    const via = header(request, 'Via');
    const branch = parameterOf(via, 'branch');
    if (method === 'ACK') {
      const acknowledged = this.#servers.get(`${branch} INVITE`);
      acknowledged?.repeater?.stop();
      // The ACK of a 2xx has a branch of its own; only the call knows which.
      if (!acknowledged) this.#onRequest({ request, method, respond: () => undefined });
      return;
    }
    const key = `${branch} ${method}`;
    const known = this.#servers.get(key);
    if (known) {
      known.last?.();
      return;
    }
    const transaction: ServerTransaction = { method, last: undefined, repeater: undefined };
    this.#servers.set(key, transaction);
    const target = { host: from.address, port: from.port };
    this.#onRequest({
      request,
      method,
      respond: (status, answer = {}) => {
        const message = this.#answerOf(request, status, answer);
        const send = () => this.#send(message, target);
        transaction.last = send;
        if (status < 200) return send();
        this.#later(() => this.#servers.delete(key));
        if (method !== 'INVITE') return send();
        transaction.repeater = new AnswerRepeater(send, answer.onTimeout ?? (() => undefined));
        return undefined;
      },
    });
  }

  /** The ACK of our 2xx has come. */
  stopRepeating(request: SipMessage): void {
    const branch = parameterOf(header(request, 'Via'), 'branch');
    this.#servers.get(`${branch} INVITE`)?.repeater?.stop();
  }

  #answerOf(request: SipMessage, status: number, answer: Answer): SipMessage {
    const to = header(request, 'To');
    const isTagged = parameterOf(to, 'tag') !== '' || answer.tag === undefined || status === 100;
    return {
      startLine: `SIP/2.0 ${status} ${reasons[status] ?? 'Answer'}`,
      headers: [
        ...headers(request, 'Via').map((via) => ['Via', via] as const),
        ...headers(request, 'Record-Route').map((route) => ['Record-Route', route] as const),
        ['From', header(request, 'From')],
        ['To', isTagged ? to : `${to};tag=${answer.tag}`],
        ['Call-ID', header(request, 'Call-ID')],
        ['CSeq', header(request, 'CSeq')],
        ['Contact', `<${this.uri}>`],
        ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO, UPDATE'],
        ...(answer.headers ?? []),
      ],
      body: answer.body ?? '',
    };
  }

  #later(task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, remembered);
    this.#timers.add(timer);
  }
}

/** The first route, else the request's URI (§8.1.2). */
function destinationOf(message: SipMessage, uri: string) {
  const [route] = headers(message, 'Route');
  return targetOf(route === undefined ? uri : uriOf(route));
}
