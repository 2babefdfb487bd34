import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface HeardPacket {
  /** `performance.now()` of its arrival. */
  readonly at: number;
  readonly sequence: number;
  /** 8000 a second. */
  readonly timestamp: number;
  readonly payload: Buffer;
}

export interface CallerOptions {
  /** `host:port` of the connector. */
  readonly target: string;
  /** Source address; 127.0.0.1 when absent. */
  readonly address?: string;
  /** Further header lines of the INVITE. */
  readonly headers?: readonly string[];
  /** ms until an INVITE without final answer counts as unanswered. */
  readonly patience?: number;
}

let calls = 0;

/**
 * A caller of one call over UDP: offers PCMU, sends a packet each 20 ms whose bytes all tell its
 * number (modulo 256), and keeps every packet that it gets with the time at which it came.
 */
export class Caller {
  /** Final status of the INVITE; 0 when none came. */
  status = 0;
  /** Whole final answer. */
  answer = '';
  /** The connector has said BYE. */
  isLeft = false;
  readonly heard: HeardPacket[] = [];
  /** `performance.now()` at which packet n was sent last. */
  readonly sentAt = new Map<number, number>();
  readonly #options: Required<CallerOptions>;
  readonly #sip: Socket;
  readonly #rtp: Socket;
  readonly #id = `fault-${process.pid}-${++calls}`;
  readonly #waiting = new Map<string, (text: string) => void>();
  #timer: NodeJS.Timeout | undefined;
  #to = '';
  #target = '';
  #sequence = 1;
  #isClosed = false;

  private constructor(options: Required<CallerOptions>, sip: Socket, rtp: Socket) {
    this.#options = options;
    this.#sip = sip;
    this.#rtp = rtp;
    sip.on('message', (bytes) => this.#onSip(bytes.toString()));
    rtp.on('message', (bytes) => this.#onRtp(bytes));
    // A peer that is gone answers by ICMP.
    for (const socket of [sip, rtp]) socket.on('error', () => undefined);
  }

  /** Calls, and resolves at the final answer or when `patience` is over. */
  static async call(options: CallerOptions): Promise<Caller> {
    const all = { address: '127.0.0.1', headers: [], patience: 10_000, ...options };
    const sockets = await Promise.all([bound(all.address), bound(all.address)]);
    const caller = new Caller(all, ...sockets);
    await caller.#invite();
    return caller;
  }

  get isUp(): boolean {
    return this.status === 200 && !this.isLeft;
  }

  /** Packets that came within the last `time` ms. */
  heardWithin(time: number): number {
    const since = performance.now() - time;
    return this.heard.filter(({ at }) => at >= since).length;
  }

  /** Ends the call; the status of the BYE's answer, 0 without one. */
  async hangUp(): Promise<number> {
    const answer = await this.request('BYE');
    this.close();
    return statusOf(answer);
  }

  /** A request in the dialog; its final answer, '' where none comes within 3 s. */
  request(method: string): Promise<string> {
    const sequence = ++this.#sequence;
    this.#send(this.#compose(method, { sequence, uri: this.#target, to: this.#to }));
    return this.#final(`${sequence} ${method}`, 3000);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#sip.close();
    this.#rtp.close();
  }

  async #invite(): Promise<void> {
    const { target, patience } = this.#options;
    const uri = `sip:pizza@${target}`;
    const invite = this.#compose('INVITE', { sequence: 1, uri, to: `<${uri}>`, body: this.#sdp() });
    const again = setInterval(() => this.#send(invite), 500);
    this.#send(invite);
    this.answer = await this.#final('1 INVITE', patience, () => clearInterval(again));
    clearInterval(again);
    this.status = statusOf(this.answer);
    if (this.status === 0) return;
    this.#to = headerOf(this.answer, 'To');
    this.#target = /<([^>]+)>/.exec(headerOf(this.answer, 'Contact'))?.[1] ?? uri;
    this.#acknowledge();
    if (this.status !== 200) return;
    const [, port = '0'] = /m=audio (\d+)/.exec(this.answer) ?? [];
    this.#speak(Number(port), target.split(':')[0] ?? '');
  }

  #acknowledge(): void {
    const branch = this.status === 200 ? 'ack' : '1';
    this.#send(this.#compose('ACK', { sequence: 1, uri: this.#target, to: this.#to, branch }));
  }

  #speak(port: number, address: string): void {
    const began = performance.now();
    let next = 0;
    this.#timer = setInterval(() => {
      for (; next * 20 <= performance.now() - began; next++) {
        const packet = Buffer.alloc(172, next & 0xff);
        packet.set([0x80, 0]);
        packet.writeUInt16BE(next & 0xffff, 2);
        packet.writeUInt32BE(next * 160, 4);
        packet.writeUInt32BE(0x0fa0_17ed, 8);
        this.sentAt.set(next & 0xff, performance.now());
        this.#rtp.send(packet, port, address, () => undefined);
      }
    }, 10);
  }

  #onRtp(bytes: Buffer): void {
    if (((bytes[1] ?? 0) & 0x7f) !== 0) return;
    this.heard.push({
      at: performance.now(),
      sequence: bytes.readUInt16BE(2),
      timestamp: bytes.readUInt32BE(4),
      payload: bytes.subarray(12),
    });
  }

  #onSip(text: string): void {
    if (!text.startsWith('SIP/2.0')) {
      this.#onRequest(text);
      return;
    }
    const cseq = headerOf(text, 'CSeq');
    if (statusOf(text) < 200) {
      this.#waiting.get(`${cseq} provisional`)?.(text);
      return;
    }
    this.#waiting.get(cseq)?.(text);
    // A final answer that comes again wants its ACK again.
    if (cseq === '1 INVITE' && this.#to !== '') this.#acknowledge();
  }

  #onRequest(text: string): void {
    const [method = ''] = text.split(' ');
    if (method === 'ACK') return;
    if (method === 'BYE') this.isLeft = true;
    const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];
    const lines = text
      .split('\r\n')
      .filter((line) =>
        names.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)),
      );
    this.#send(`${['SIP/2.0 200 OK', ...lines, 'Content-Length: 0'].join('\r\n')}\r\n\r\n`);
  }

  #final(cseq: string, limit: number, onProvisional = () => undefined as void): Promise<string> {
    return new Promise((resolve) => {
      const finish = (text: string) => {
        clearTimeout(timer);
        this.#waiting.delete(cseq);
        this.#waiting.delete(`${cseq} provisional`);
        resolve(text);
      };
      const timer = setTimeout(() => finish(''), limit);
      this.#waiting.set(cseq, finish);
      this.#waiting.set(`${cseq} provisional`, onProvisional);
    });
  }

  #send(text: string): void {
    if (this.#isClosed) return;
    const [host = '', port = ''] = this.#options.target.split(':');
    this.#sip.send(text, Number(port), host, () => undefined);
  }

  #compose(
    method: string,
    of: { sequence: number; uri: string; to: string; body?: string; branch?: string },
  ): string {
    const { sequence, uri, to, body = '', branch = String(sequence) } = of;
    const own = `${this.#options.address}:${this.#sip.address().port}`;
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${this.#id}-${branch}`,
      'Max-Forwards: 70',
      `From: <sip:caller@${own}>;tag=${this.#id}`,
      `To: ${to}`,
      `Call-ID: ${this.#id}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:caller@${own}>`,
      ...(method === 'INVITE' ? this.#options.headers : []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  #sdp(): string {
    const { address } = this.#options;
    const lines = [
      'v=0',
      `o=- 1 1 IN IP4 ${address}`,
      's=-',
      `c=IN IP4 ${address}`,
      't=0 0',
      `m=audio ${this.#rtp.address().port} RTP/AVP 0`,
      'a=ptime:20',
    ];
    return `${lines.join('\r\n')}\r\n`;
  }
}

async function bound(address: string): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  return socket;
}

function headerOf(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
}

function statusOf(text: string): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
}
