import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { header, headers } from '../../src/sip/message/headers.ts';
import type { Header, SipMessage, SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { serialize } from '../../src/sip/message/serialize.ts';

/** A hand-written SIP peer on UDP: every message is looked at and sent by the test itself. */
export class Peer {
  readonly address: string;
  readonly port: number;
  /** Everything received that was not taken yet. */
  readonly inbox: SipMessage[] = [];
  readonly #socket: Socket;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    this.address = `127.0.0.1:${this.port}`;
    socket.on('message', (bytes) => {
      const message = parseMessage(bytes);
      if (message.kind !== 'error') this.inbox.push(message);
      this.#wake();
    });
  }

  static async open(): Promise<Peer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Peer(socket);
  }

  /** The next message that fits, `INVITE` or `200`; others before it are dropped. Rejects after 5 s. */
  async next(what: string): Promise<SipMessage> {
    const until = Date.now() + 5_000;
    for (;;) {
      for (let message = this.inbox.shift(); message; message = this.inbox.shift()) {
        if (nameOf(message) === what) return message;
      }
      const left = until - Date.now();
      if (left <= 0) throw new Error(`${what} did not come`);
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
  }

  async request(method: string): Promise<SipRequest> {
    const message = await this.next(method);
    if (message.kind !== 'request') throw new Error(`${method} is no request`);
    return message;
  }

  async response(status: number): Promise<SipResponse> {
    const message = await this.next(String(status));
    if (message.kind !== 'response') throw new Error(`${status} is no response`);
    return message;
  }

  send(message: SipMessage, port: number): void {
    this.#socket.send(serialize(message), port, '127.0.0.1');
  }

  /** Answers a request where its Via says, with a To tag and Contact. */
  answer(request: SipRequest, status: number, options: AnswerOptions = {}): void {
    const { tag = 'peer', body = '', extra = [] } = options;
    const to = header(request, 'to') ?? '';
    const response: SipResponse = {
      kind: 'response',
      status,
      reason: options.reason ?? 'Answer',
      headers: [
        ...headers(request, 'via').map((value) => ({ name: 'Via', value })),
        ...headers(request, 'record-route').map((value) => ({ name: 'Record-Route', value })),
        { name: 'From', value: header(request, 'from') ?? '' },
        { name: 'To', value: /;tag=/.test(to) ? to : `${to};tag=${tag}` },
        { name: 'Call-ID', value: header(request, 'call-id') ?? '' },
        { name: 'CSeq', value: header(request, 'cseq') ?? '' },
        { name: 'Contact', value: `<sip:peer@${this.address}>` },
        ...(body === '' ? [] : [{ name: 'Content-Type', value: 'application/sdp' }]),
        ...extra,
      ],
      body: Buffer.from(body),
    };
    this.send(response, portOf(request));
  }

  /** A request of our own; `over` replaces or adds headers by name. */
  compose(method: string, uri: string, options: ComposeOptions = {}): SipRequest {
    const { callId = 'peer-1', sequence = 1, body = '', toTag, extra = [] } = options;
    const branch = options.branch ?? `${method}-${sequence}-${callId}`;
    return {
      kind: 'request',
      method,
      uri,
      headers: [
        { name: 'Via', value: `SIP/2.0/UDP ${this.address};branch=z9hG4bK${branch};rport` },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: `<sip:peer@${this.address}>;tag=${options.fromTag ?? 'peer'}` },
        { name: 'To', value: `<${uri}>${toTag === undefined ? '' : `;tag=${toTag}`}` },
        { name: 'Call-ID', value: callId },
        { name: 'CSeq', value: `${sequence} ${method}` },
        { name: 'Contact', value: `<sip:peer@${this.address}>` },
        ...(body === '' ? [] : [{ name: 'Content-Type', value: 'application/sdp' }]),
        ...extra,
      ],
      body: Buffer.from(body),
    };
  }

  close(): void {
    this.#socket.close();
  }
}

interface AnswerOptions {
  readonly tag?: string;
  readonly reason?: string;
  readonly body?: string;
  readonly extra?: readonly Header[];
}

interface ComposeOptions {
  readonly callId?: string;
  readonly sequence?: number;
  readonly body?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly branch?: string;
  readonly extra?: readonly Header[];
}

function nameOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : String(message.status);
}

/** The To tag of a response. */
export function toTagOf(message: SipMessage): string {
  return /;tag=([^;]+)/.exec(header(message, 'to') ?? '')?.[1] ?? '';
}

function portOf(request: SipRequest): number {
  const [via = ''] = headers(request, 'via');
  const port = /;rport=(\d+)/.exec(via)?.[1] ?? /:(\d+)/.exec(via.split(';')[0] ?? '')?.[1];
  return Number(port ?? 5060);
}
