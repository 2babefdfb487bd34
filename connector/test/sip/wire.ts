import type { Clock } from '../../src/base/clock.ts';
import { headers, withTopValue } from '../../src/sip/message/headers.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { formatVia, parseVia, withSource } from '../../src/sip/message/via.ts';
import type {
  ListenPoint,
  Received,
  Remote,
  Transport,
  TransportUser,
} from '../../src/sip/transport/transport.ts';

/** A message on the wire, and what is to become of it. */
export interface Passage {
  readonly message: SipMessage;
  readonly from: string;
  readonly to: string;
  /** How many of the same start line and CSeq went before in that direction. */
  readonly repetition: number;
}

/** Delays in ms after which it arrives; empty when it is lost. */
export type Fate = readonly number[];

/** A network of addresses on one clock, which can lose, delay, duplicate and reorder messages. */
export class Wire {
  /** Start lines as they were sent, `1>2 INVITE`, `2>1 200 INVITE`. */
  readonly log: string[] = [];
  readonly messages: Passage[] = [];
  /** First lines of all that was sent, also of what repeats headers that cannot be parsed. */
  readonly startLines: string[] = [];
  fate: (passage: Passage, line: string) => Fate = () => [10];
  /** Sees everything that is sent; throws where it cannot be. */
  onSend: (to: Remote) => void = () => undefined;
  /** Name of the connection that everything comes on. */
  connection: string | undefined;
  /** What is sent to nobody is lost; else it cannot be sent. */
  acceptAll = false;
  /** Connections that an end has closed. */
  readonly disconnected: string[] = [];
  readonly #clock: Clock;
  readonly #ends = new Map<string, { user: TransportUser; local: ListenPoint }>();
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A transport at `192.0.2.<name>`, port 5060; it delivers to the user that `attach` names. */
  transport(name: string, extra: Partial<ListenPoint> = {}): Transport {
    const local = {
      protocol: 'udp' as const,
      address: `192.0.2.${name}`,
      port: 5060,
      ...extra,
    };
    return {
      listenPoints: [local],
      localFor: (remote) => (remote.protocol === local.protocol ? local : undefined),
      send: (bytes, remote) => this.#send(bytes, local, remote),
      disconnect: (remote) => void this.disconnected.push(remote.connection ?? ''),
      close: async () => undefined,
    };
  }

  attach(transport: Transport, user: TransportUser): void {
    const [local] = transport.listenPoints;
    if (local) this.#ends.set(local.address, { user, local });
  }

  /** What passed since the last call, as start lines. */
  take(): string[] {
    this.messages.length = 0;
    return this.log.splice(0);
  }

  /** Delivers a message that no phone sent, from 192.0.2.1. */
  inject(to: string, lines: readonly string[], from = '1'): void {
    this.injectBytes(to, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), from);
  }

  /** The same for bytes that may be no message. */
  injectBytes(to: string, bytes: Buffer, from = '1'): void {
    const point = { protocol: 'udp' as const, port: 5060 };
    this.#deliver(
      bytes,
      { ...point, address: `192.0.2.${from}` },
      { ...point, address: `192.0.2.${to}` },
    );
  }

  async #send(bytes: Buffer, from: ListenPoint, to: Remote): Promise<void> {
    this.startLines.push(bytes.toString('latin1', 0, bytes.indexOf('\r\n')));
    this.onSend(to);
    const message = parseMessage(bytes);
    if (message.kind === 'error') throw new Error(`sent what cannot be parsed: ${message.problem}`);
    if (!this.acceptAll && !this.#ends.has(to.address)) throw new Error('unreachable');
    const passage = this.#note(message, from.address, to.address);
    for (const delay of this.fate(passage, this.log.at(-1) ?? '')) {
      this.#clock.after(delay, () => this.#deliver(bytes, from, to));
    }
  }

  #note(message: SipMessage, from: string, to: string): Passage {
    const name = nameOf(message);
    const line = `${shortOf(from)}>${shortOf(to)} ${name}`;
    const key = `${line} ${headers(message, 'cseq').join()} ${headers(message, 'call-id').join()}`;
    const repetition = this.#seen.get(key) ?? 0;
    this.#seen.set(key, repetition + 1);
    const passage = { message, from: shortOf(from), to: shortOf(to), repetition };
    this.log.push(line);
    this.messages.push(passage);
    return passage;
  }

  #deliver(bytes: Buffer, from: ListenPoint, to: Remote): void {
    const end = this.#ends.get(to.address);
    const message = parseMessage(bytes);
    if (!end) return;
    const { protocol, address, port } = from;
    if (message.kind === 'error') {
      end.user.onMalformed?.(message, { protocol, address, port }, end.local);
      return;
    }
    const received: Received = {
      message: message.kind === 'request' ? withViaSource(message, address, port) : message,
      remote: {
        protocol,
        address,
        port,
        ...(this.connection !== undefined && { connection: this.connection }),
      },
      local: end.local,
      sizeBytes: bytes.length,
    };
    end.user.onMessage(received);
  }
}

/** `INVITE`, or `200 INVITE` for a response to one. */
export function nameOf(message: SipMessage): string {
  if (message.kind === 'request') return message.method;
  const [, method] = (headers(message, 'cseq')[0] ?? '').split(' ');
  return `${message.status} ${method}`;
}

function shortOf(address: string): string {
  return address.split('.').at(-1) ?? address;
}

function withViaSource<M extends SipMessage>(message: M, address: string, port: number): M {
  const via = parseVia(headers(message, 'via')[0] ?? '');
  return via ? withTopValue(message, 'Via', formatVia(withSource(via, address, port))) : message;
}
