import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { header, headers } from '../../src/sip/message/headers.ts';
import type { SipMessage, SipRequest } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { serialize } from '../../src/sip/message/serialize.ts';
import { eventually } from './station.ts';

/** As a browser has it: a made-up host that is nowhere (RFC 7118 §5). */
export const contact = 'sip:ann@x1.invalid;transport=ws';
const us = '<sip:ann@example.test>;tag=phone';

/** A phone in a browser: SIP over a WebSocket, written by hand. */
export class WebSocketPhone {
  readonly #socket: WebSocket;
  readonly #inbox: SipMessage[] = [];
  #branches = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const message = parseMessage(Buffer.from(data as Buffer));
      if (message.kind !== 'error') this.#inbox.push(message);
    });
  }

  static async open(url: string, ca?: string): Promise<WebSocketPhone> {
    const socket = new WebSocket(url, 'sip', ca === undefined ? {} : { ca });
    onTestFinished(() => socket.terminate());
    const phone = new WebSocketPhone(socket);
    await once(socket, 'open');
    return phone;
  }

  /** The next message that fits, `INVITE` or `200`; others before it are dropped. */
  next(what: string): Promise<SipMessage> {
    return eventually(() => {
      for (let message = this.#inbox.shift(); message; message = this.#inbox.shift()) {
        if (String(message.kind === 'request' ? message.method : message.status) === what)
          return message;
      }
      throw new Error(`${what} did not come`);
    });
  }

  /** The next request of a method. */
  async asked(method: string): Promise<SipRequest> {
    const message = await this.next(method);
    if (message.kind !== 'request') throw new Error(`${method} is no request`);
    return message;
  }

  send(
    method: string,
    uri: string,
    { to = `<${uri}>`, from = us, callId = 'ws', body = '' } = {},
  ): void {
    const sequence = method === 'ACK' ? this.#branches : ++this.#branches;
    this.#write({
      kind: 'request',
      method,
      uri,
      headers: [
        { name: 'Via', value: `SIP/2.0/WS x1.invalid;branch=z9hG4bK${method}${sequence}` },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: from },
        { name: 'To', value: to },
        { name: 'Call-ID', value: callId },
        { name: 'CSeq', value: `${sequence} ${method}` },
        { name: 'Contact', value: `<${contact}>` },
        ...(body === '' ? [] : [{ name: 'Content-Type', value: 'application/sdp' }]),
      ],
      body: Buffer.from(body),
    });
  }

  answer(request: SipRequest, status: number, body = ''): void {
    const to = header(request, 'to') ?? '';
    this.#write({
      kind: 'response',
      status,
      reason: 'Answer',
      headers: [
        ...headers(request, 'via').map((value) => ({ name: 'Via', value })),
        { name: 'From', value: header(request, 'from') ?? '' },
        { name: 'To', value: to.includes(';tag=') ? to : `${to};tag=phone` },
        { name: 'Call-ID', value: header(request, 'call-id') ?? '' },
        { name: 'CSeq', value: header(request, 'cseq') ?? '' },
        { name: 'Contact', value: `<${contact}>` },
        ...(body === '' ? [] : [{ name: 'Content-Type', value: 'application/sdp' }]),
      ],
      body: Buffer.from(body),
    });
  }

  #write(message: SipMessage): void {
    this.#socket.send(serialize(message).toString());
  }
}
