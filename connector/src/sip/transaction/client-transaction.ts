import type { Clock } from '../../base/clock.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import type { Received, Remote, Transport } from '../transport/transport.ts';
import { ackOfFailure } from './ack.ts';
import { startInviteClient, stepInviteClient } from './invite-client.ts';
import { type ClientEffect, type ClientEvent, type ClientTimer, machineOf } from './machine.ts';
import { startNonInviteClient, stepNonInviteClient } from './non-invite-client.ts';
import { TimerSet } from './timer-set.ts';
import type { TimerValues } from './timers.ts';

/** Who sent the request. Calls are synchronous. */
export interface ClientTransactionUser {
  /** Provisionals, the first final, and every 2xx of an INVITE. */
  onResponse(response: SipResponse, received: Received): void;
  /** No final will come. */
  onFailure(failure: 'timeout' | 'transport-error'): void;
  /** The transaction is over. */
  onGone?(): void;
}

export interface ClientParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly user: ClientTransactionUser;
  /** Takes it out of the layer. */
  onGone(): void;
}

/** A request on its way: runs the effects of its machine. */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly remote: Remote;
  /** The request as on the wire. */
  readonly bytes: Buffer;
  readonly #parts: ClientParts;
  readonly #timers: TimerSet<ClientTimer>;
  #next: (event: ClientEvent) => readonly ClientEffect[] = () => [];
  #response: { readonly message: SipResponse; readonly received: Received } | undefined;
  #ack: Buffer | undefined;

  constructor(request: SipRequest, remote: Remote, parts: ClientParts) {
    this.request = request;
    this.remote = remote;
    this.bytes = serialize(request);
    this.#parts = parts;
    this.#timers = new TimerSet(parts.clock);
  }

  /** Sends the request. */
  start(): void {
    const setup = { timers: this.#parts.timers, isReliable: this.remote.protocol !== 'udp' };
    if (this.request.method === 'INVITE') {
      const [state, effects] = startInviteClient(this.bytes, setup);
      this.#next = machineOf(state, stepInviteClient, setup);
      this.#run(effects);
    } else {
      const [state, effects] = startNonInviteClient(this.bytes, setup);
      this.#next = machineOf(state, stepNonInviteClient, setup);
      this.#run(effects);
    }
  }

  receive(message: SipResponse, received: Received): void {
    this.#response = { message, received };
    this.#step({ kind: 'response', status: message.status });
    this.#response = undefined;
  }

  /** Ends without telling the user. */
  abandon(): void {
    this.#timers.clear();
    this.#parts.onGone();
  }

  #step(event: ClientEvent): void {
    this.#run(this.#next(event));
  }

  #run(effects: readonly ClientEffect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ClientEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.bytes);
        return;
      case 'send-ack':
        this.#sendAck();
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
        this.#inform(effect.what);
        return;
      case 'gone':
        this.#timers.clear();
        this.#parts.onGone();
        this.#parts.user.onGone?.();
    }
  }

  #inform(what: 'response' | 'timeout' | 'transport-error'): void {
    if (what !== 'response') this.#parts.user.onFailure(what);
    else if (this.#response) {
      this.#parts.user.onResponse(this.#response.message, this.#response.received);
    }
  }

  #sendAck(): void {
    if (this.#response) this.#ack ??= serialize(ackOfFailure(this.request, this.#response.message));
    if (this.#ack) this.#send(this.#ack);
  }

  #send(bytes: Buffer): void {
    this.#parts.transport
      .send(bytes, this.remote)
      .catch(() => this.#step({ kind: 'transport-error' }));
  }
}
