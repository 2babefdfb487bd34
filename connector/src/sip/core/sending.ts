import { headers, withHeaderFirst } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import { cancelOf } from '../transaction/ack.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import { TimerSet } from '../transaction/timer-set.ts';
import { transactionTimeout } from '../transaction/timers.ts';
import type { ListenPoint, Received, Remote } from '../transport/transport.ts';
import { Refusal, type Trace } from '../user-agent.ts';
import type { Core } from './core.ts';
import { viaOf } from './own-address.ts';
import { type Hop, targetsOf } from './targets.ts';
import { traceOfReceived, traceOfRequest, traceOfStack } from './trace.ts';

/** What is to be sent, and where. */
export interface Order extends Hop {
  /** Instead of being sent, the request gets this answer from the stack. */
  readonly made?: readonly [status: number, reason: string];
  /** The request without our Via, for the listen point it leaves from. */
  compose(local: ListenPoint): SipRequest;
}

/** A message on its way out: the bytes, and how it went. */
export interface Departure {
  readonly request: SipRequest;
  readonly bytes: Buffer;
  readonly trace: Trace;
}

/** A response, with the copy of the request that it answers. `received` is absent when the stack made it. */
export interface Answer {
  readonly response: SipResponse;
  readonly request: SipRequest;
  readonly trace: Trace;
  readonly received?: Received;
}

/** Who wants to know. Calls are synchronous. */
export interface SendingUser {
  /** It is about to be sent to that address, as it stands. */
  onSend?(request: SipRequest, remote: Remote): void;
  /** 1xx, one final, and every 2xx of an INVITE. */
  onAnswer(answer: Answer): void;
  /** Nothing more will come. */
  onGone?(): void;
}

/** Longest silence of an INVITE after a provisional; proxies give up after 3 minutes (§16.6 step 11). */
const ringingTimeout = 10 * 60_000;

/**
 * A request until its final response: a client transaction to one address after the other until one
 * takes it (RFC 3263 §4.3), CANCEL, and the responses that the stack makes itself.
 */
export class Sending {
  readonly #core: Core;
  readonly #order: Order;
  readonly #user: SendingUser;
  readonly #timers: TimerSet<'cancel' | 'ringing' | 'made'>;
  #targets: readonly Remote[] = [];
  #next = 0;
  /** What the TCP of a large request stands for. */
  #datagrams: Remote | undefined;
  #client: ClientTransaction | undefined;
  #state: 'calling' | 'proceeding' | 'final' = 'calling';
  #cancel: 'no' | 'held' | 'sent' = 'no';
  #cancelHeaders: readonly Header[] = [];
  #hasRung = false;
  #isGone = false;

  constructor(core: Core, order: Order, user: SendingUser) {
    this.#core = core;
    this.#order = order;
    this.#user = user;
    this.#timers = new TimerSet(core.clock);
  }

  get isFinal(): boolean {
    return this.#state === 'final';
  }

  get isCancelled(): boolean {
    return this.#cancel !== 'no';
  }

  /** The copy of the request that is on its way. */
  get request(): SipRequest | undefined {
    return this.#client?.request;
  }

  /** Sends to the first address that can be reached. Throws `Refusal` without a listen point for it. */
  async start(): Promise<Departure> {
    if (this.#order.made) return this.#fail(this.#order.made);
    this.#targets = await targetsOf(this.#core, this.#order);
    if (this.isCancelled) return this.#fail([487, 'Request Terminated']);
    return this.#sendNext() ?? this.#fail([503, 'Service Unavailable']);
  }

  /** Cancels an INVITE (§9.1): now, or when the first provisional comes. One that is not out stays in. */
  cancel(extra: readonly Header[]): Departure | undefined {
    if (!this.#client && this.#state === 'calling') this.#cancel = 'held';
    if (this.#state === 'final' || this.#client?.request.method !== 'INVITE') return undefined;
    const departure = this.#departureOf(cancelOf(this.#client.request, extra), this.#client.remote);
    if (this.isCancelled) return departure;
    this.#cancelHeaders = extra;
    if (this.#state === 'proceeding') this.#sendCancel();
    else this.#cancel = 'held';
    return departure;
  }

  #sendNext(): Departure | undefined {
    this.#datagrams = undefined;
    const remote = this.#targets[this.#next++];
    const request = remote && this.#requestFor(remote);
    if (!request) return undefined;
    const tcp = this.#insteadOf(remote, request);
    const large = tcp && this.#requestFor(tcp);
    if (!large) return this.#send(request, remote);
    this.#datagrams = remote;
    return this.#send(large, tcp);
  }

  #requestFor(remote: Remote): SipRequest | undefined {
    const local = this.#core.transport.localFor(remote);
    if (!local) return undefined;
    const via = viaOf(local, this.#core.ids.branch());
    return withHeaderFirst(this.#order.compose(local), 'Via', via);
  }

  /** §18.1.1. Who was heard of over UDP only, behind a NAT say, cannot be connected to. */
  #insteadOf(remote: Remote, request: SipRequest): Remote | undefined {
    const { preferred, nextHop } = this.#order;
    if (remote.protocol !== 'udp' || remote === preferred) return undefined;
    return this.#core.large.insteadOf(remote, nextHop, serialize(request).length);
  }

  #send(request: SipRequest, remote: Remote): Departure {
    this.#state = 'calling';
    this.#user.onSend?.(request, remote);
    const client = this.#core.layer.send(request, remote, {
      onResponse: (response, received) => this.#onResponse(response, received),
      onFailure: (failure) => this.#onFailure(failure),
      onGone: () => this.#onGone(client),
    });
    this.#client = client;
    return this.#departureOf(request, remote, client.bytes);
  }

  /** Not sent: the echo as it would have been, and the answer behind it. */
  #fail([status, reason]: readonly [number, string]): Departure {
    const [local] = this.#core.transport.listenPoints;
    if (!local) throw new Refusal('requested protocol/transport not available');
    const via = viaOf(local, this.#core.ids.branch());
    const request = withHeaderFirst(this.#order.compose(local), 'Via', via);
    const bytes = serialize(request);
    this.#timers.start('made', 0, () => this.#makeUp(request, status, reason));
    return { request, bytes, trace: traceOfRequest(bytes, local, this.#core.clock.wall()) };
  }

  #onResponse(response: SipResponse, received: Received): void {
    const client = this.#client;
    if (!client) return;
    const isRepeated = this.#state === 'final';
    if (response.status < 200) this.#onProvisional(response.status);
    else if (!isRepeated && response.status === 503 && this.#tryNext()) return;
    else this.#close();
    const trace = traceOfReceived(received, this.#core.clock.wall());
    this.#user.onAnswer({ response, request: client.request, trace, received });
  }

  #onProvisional(status: number): void {
    this.#state = 'proceeding';
    if (status > 100) this.#hasRung = true;
    if (this.#cancel === 'held') this.#sendCancel();
    if (this.#client?.request.method !== 'INVITE' || this.#cancel === 'sent') return;
    this.#timers.start('ringing', ringingTimeout, () => {
      this.#sendCancel();
    });
  }

  #onFailure(failure: 'timeout' | 'transport-error'): void {
    const request = this.#client?.request;
    if (!request || this.#state === 'final') return;
    if ((failure === 'transport-error' && this.#fallBack()) || this.#tryNext()) return;
    if (failure === 'timeout') this.#makeUp(request, 408, 'Request Timeout');
    else this.#timers.start('made', 0, () => this.#makeUp(request, 503, 'Service Unavailable'));
  }

  /** RFC 3263 §4.3, as long as nobody was heard of and the request is still wanted. */
  #tryNext(): boolean {
    if (this.#state === 'final' || this.#hasRung || this.isCancelled) return false;
    return this.#sendNext() !== undefined;
  }

  /** §18.1.1: a large request whose peer has no TCP is sent over UDP after all. */
  #fallBack(): boolean {
    const remote = this.#datagrams;
    if (!remote || this.isCancelled) return false;
    this.#datagrams = undefined;
    this.#core.large.refused(remote);
    const request = this.#requestFor(remote);
    return request !== undefined && this.#send(request, remote) !== undefined;
  }

  #sendCancel(): void {
    const client = this.#client;
    if (!client) return;
    this.#cancel = 'sent';
    this.#timers.stop('ringing');
    const cancel = cancelOf(client.request, this.#cancelHeaders);
    this.#core.layer.send(cancel, client.remote, {
      onResponse: () => undefined,
      onFailure: () => undefined,
    });
    // §9.1: without a final after 64 * T1 the INVITE counts as cancelled.
    this.#timers.start('cancel', transactionTimeout(this.#core.timers), () => {
      client.abandon();
      this.#makeUp(client.request, 487, 'Request Terminated');
    });
  }

  #makeUp(request: SipRequest, status: number, reason: string): void {
    if (this.#state === 'final') return;
    this.#close();
    const response = responseOfStack(request, status, reason);
    const trace = traceOfStack(this.#core.clock.wall());
    this.#user.onAnswer({ response, request, trace });
    this.#end();
  }

  #close(): void {
    this.#state = 'final';
    this.#timers.clear();
  }

  #onGone(client: ClientTransaction): void {
    // One that failed was replaced or is answered for; its end says nothing.
    if (client === this.#client && this.#state === 'final') this.#end();
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#user.onGone?.();
  }

  #departureOf(request: SipRequest, remote: Remote, bytes = serialize(request)): Departure {
    const local = this.#core.transport.localFor(remote) ?? this.#core.transport.listenPoints[0];
    if (!local) throw new Refusal('requested protocol/transport not available');
    return { request, bytes, trace: traceOfRequest(bytes, local, this.#core.clock.wall()) };
  }
}

/** A response that never was on a wire. */
export function responseOfStack(request: SipRequest, status: number, reason: string): SipResponse {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
    headers(request, name).map((value) => ({ name, value })),
  );
  return { kind: 'response', status, reason, headers: copied, body: Buffer.alloc(0) };
}
