import type { Clock } from '../../base/clock.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import { responseTarget } from '../message/via.ts';
import { canConnect, defaultPort } from '../transport/protocol.ts';
import type { ListenPoint, Received, Remote, Transport } from '../transport/transport.ts';
import { initialInviteServer, stepInviteServer } from './invite-server.ts';
import { topVia } from './key.ts';
import { machineOf, type ServerEffect, type ServerEvent, type ServerTimer } from './machine.ts';
import { initialNonInviteServer, stepNonInviteServer } from './non-invite-server.ts';
import { TimerSet } from './timer-set.ts';
import type { TimerValues } from './timers.ts';

/** Who answers the request. Calls are synchronous. */
export interface ServerTransactionUser {
  /** A CANCEL for it came before its final response, and has been answered. */
  onCancel?(cancel: Received): void;
  /** The tag that the responses to this request bear in To. */
  readonly toTag?: string;
  /** The name under which the application knows the request, and its dialog; for a later process. */
  readonly id?: string;
  readonly dialog?: string;
  /** An INVITE whose 2xx has no ACK yet. */
  readonly isAnswered?: boolean;
  readonly owner?: string | undefined;
}

export interface ServerParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: TimerValues;
  /** An ACK to a 2xx that came under the INVITE's own branch. */
  onAck(ack: Received): void;
  /** Before a response goes out, and when `user` has changed. */
  onChange(last: { readonly status: number; readonly bytes: Buffer } | undefined): void;
  /** Takes it out of the layer. */
  onGone(): void;
}

/** A response as it was sent; `done` rejects when the transport could not. */
export interface SentResponse {
  readonly bytes: Buffer;
  readonly done: Promise<void>;
}

/** A received request until it is answered and nothing of it can come again. */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly local: ListenPoint;
  /** Where responses go. */
  readonly remote: Remote;
  user: ServerTransactionUser = {};
  readonly #parts: ServerParts;
  readonly #timers: TimerSet<ServerTimer>;
  readonly #next: (event: ServerEvent) => readonly ServerEffect[];
  #status = 0;
  #ack: Received | undefined;
  #last: { readonly status: number; readonly bytes: Buffer } | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(request: SipRequest, received: Received, parts: ServerParts) {
    this.request = request;
    this.local = received.local;
    this.remote = responseRemote(request, received.remote);
    this.#parts = parts;
    this.#timers = new TimerSet(parts.clock);
    const setup = { timers: parts.timers, isReliable: this.remote.protocol !== 'udp' };
    this.#next =
      request.method === 'INVITE'
        ? machineOf(initialInviteServer, stepInviteServer, setup)
        : machineOf(initialNonInviteServer, stepNonInviteServer, setup);
  }

  /** Status of the last response sent, 0 before the first. */
  get status(): number {
    return this.#status;
  }

  /** Sends a response, as far as the state allows one. A 2xx to INVITE may be sent again and again. */
  respond(response: SipResponse): SentResponse {
    const bytes = serialize(response);
    return { bytes, done: this.respondBytes(response.status, bytes) };
  }

  respondBytes(status: number, bytes: Buffer): Promise<void> {
    if (this.#status < 200) {
      this.#status = status;
      this.#last = { status, bytes };
      this.#parts.onChange(this.#last);
      const isRegistered = this.request.method === 'REGISTER' && status >= 200 && status < 300;
      if (isRegistered) this.#parts.transport.registered?.(this.request, this.remote);
    }
    this.#sending = Promise.resolve();
    this.#step({ kind: 'respond', status, bytes });
    return this.#sending;
  }

  /** Puts it on record as it is. */
  note(): void {
    this.#parts.onChange(this.#last);
  }

  /** What an earlier process sent last. Only the failure of an INVITE is sent again unasked. */
  resume(status: number, bytes: Buffer): void {
    this.#status = status;
    this.#last = { status, bytes };
    const isUnasked = this.request.method === 'INVITE' && status >= 300;
    for (const effect of this.#next({ kind: 'respond', status, bytes })) {
      if (effect.kind !== 'send' || isUnasked) this.#perform(effect);
    }
  }

  /** The same request again. */
  repeat(): void {
    this.#step({ kind: 'request' });
  }

  acknowledge(ack: Received): void {
    this.#ack = ack;
    this.#step({ kind: 'ack' });
    this.#ack = undefined;
  }

  /** Ends without a response. */
  abandon(): void {
    this.#timers.clear();
    this.#parts.onGone();
  }

  #step(event: ServerEvent): void {
    for (const effect of this.#next(event)) this.#perform(effect);
  }

  #perform(effect: ServerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.bytes);
        return;
      case 'start':
        this.#timers.start(effect.timer, effect.delay, () =>
          this.#step({ kind: 'timer', timer: effect.timer }),
        );
        return;
      case 'stop':
        this.#timers.stop(effect.timer);
        return;
      case 'inform':
        // A final without ACK, or one that could not be sent, is over; there is nobody to ask.
        if (effect.what === 'ack' && this.#ack) this.#parts.onAck(this.#ack);
        return;
      case 'gone':
        this.#timers.clear();
        this.#parts.onGone();
        return;
      case 'send-ack':
        return;
    }
  }

  async #deliver(bytes: Buffer): Promise<void> {
    try {
      await this.#parts.transport.send(bytes, this.remote);
    } catch (error) {
      const other = sentByRemote(this.request, this.remote);
      if (!other) throw error;
      await this.#parts.transport.send(bytes, other);
    }
  }

  #send(bytes: Buffer): void {
    this.#sending = this.#deliver(bytes);
    this.#sending.catch(() => this.#step({ kind: 'transport-error' }));
  }
}

/** §18.2.2: where the sender of a request listens, for when the connection it came on is gone. */
function sentByRemote(request: SipRequest, { protocol, address }: Remote): Remote | undefined {
  const via = topVia(request);
  if (!via || protocol === 'udp' || !canConnect(protocol)) return undefined;
  return { protocol, address, port: via.port ?? defaultPort(protocol) };
}

/** §18.2.2: a stream's own connection; over UDP what the Via says, which holds the real source. */
export function responseRemote(request: SipRequest, remote: Remote): Remote {
  const via = topVia(request);
  return via && remote.protocol === 'udp' ? { ...remote, ...responseTarget(via) } : remote;
}
