import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { allowedMethods } from './capabilities.ts';
import { type DialOptions, type DialOutcome, dial } from './dial.ts';
import type { CredentialsOf } from './digest.ts';
import { unsupportedOf } from './in-dialog.ts';
import { IncomingCall } from './incoming-call.ts';
import { Leg, type LegUser } from './leg.ts';
import { parseParty } from './party.ts';
import { EndedDialogs, matchReplaces, replace } from './replacement.ts';
import { RequestSender } from './request-sender.ts';
import type { Incoming, Received, Response, Signalling, SignallingUser } from './signalling.ts';
import { connectSrf } from './srf.ts';

export interface CallsUser {
  /** A new call; it must be answered or rejected. */
  onIncoming(call: IncomingCall): void;
  /** A new call that could not even be offered, and is refused already. */
  onUnsupported?(call: IncomingCall): void;
  /** The answer to OPTIONS from a peer that asks whether we take calls. */
  onOptions(): Response;
}

export interface CallsOptions {
  /** The socket of the SIP server (drachtio protocol). */
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Session-Expires offered (RFC 4028). */
  readonly sessionSeconds: number;
  /** Ours, for requests that are challenged on any leg, by realm. */
  readonly credentialsOf?: CredentialsOf;
  /** Random text for digests. */
  readonly nonce: () => string;
}

/** Connects to the SIP server and stays connected; rejects when the first connection fails. */
export async function connectCalls(options: CallsOptions, user: CallsUser): Promise<Calls> {
  const calls = new Calls(options, user);
  await calls.connect((signallingUser) => connectSrf(options, signallingUser));
  return calls;
}

/** All legs of one connection to a SIP server. */
export class Calls {
  readonly #options: Omit<CallsOptions, 'host' | 'port' | 'secret'>;
  readonly #user: CallsUser;
  readonly #legs = new Map<string, Leg>();
  /** INVITEs without a final answer, by dialog. */
  readonly #early = new Map<string, IncomingCall>();
  readonly #ended: EndedDialogs;
  #signalling: Signalling | undefined;

  constructor(options: Omit<CallsOptions, 'host' | 'port' | 'secret'>, user: CallsUser) {
    this.#options = options;
    this.#user = user;
    this.#ended = new EndedDialogs(options.clock);
  }

  /** Joins the signalling that `open` makes. */
  async connect(open: (user: SignallingUser) => Promise<Signalling>): Promise<void> {
    this.#signalling = await open({
      onRequest: (incoming) => this.#onRequest(incoming),
      onLost: () => this.#onLost(),
    });
  }

  /** Where peers reach us, `udp/192.0.2.1:5060`. */
  get addresses(): readonly string[] {
    return this.#signalling?.addresses ?? [];
  }

  /** Dialogs that exist. */
  get legCount(): number {
    return this.#legs.size;
  }

  /** Calls a SIP URI. Never rejects. */
  dial(options: DialOptions): Promise<DialOutcome> {
    const { clock, sessionSeconds } = this.#options;
    const sender = this.#sender();
    const createLeg = (dialog: string, user: LegUser) => this.#createLeg(dialog, user, sender);
    return dial({ sender, clock, sessionSeconds, createLeg }, options);
  }

  /** Leaves the SIP server; legs that still exist are not told. */
  async close(): Promise<void> {
    await this.#signalling?.close();
    this.#legs.clear();
    this.#early.clear();
  }

  #sender(): RequestSender {
    const { clock, nonce, credentialsOf } = this.#options;
    return new RequestSender({ signalling: this.#connected(), clock, nonce, credentialsOf });
  }

  #connected(): Signalling {
    if (!this.#signalling) throw new Error('not connected');
    return this.#signalling;
  }

  #createLeg(dialog: string, user: LegUser, sender: RequestSender): Leg {
    const { clock, sessionSeconds } = this.#options;
    const log = this.#options.log.child({ sipCallId: dialog.split(';')[0] });
    const onGone = (leg: Leg) => {
      if (this.#legs.get(leg.id) === leg) this.#legs.delete(leg.id);
      this.#ended.add(leg.tags);
    };
    const leg = new Leg({ dialog, sender, clock, log, sessionSeconds, onGone }, user);
    this.#legs.set(dialog, leg);
    return leg;
  }

  #onLost(): void {
    for (const leg of this.#legs.values()) leg.lost();
  }

  #onRequest(incoming: Incoming): void {
    const { request } = incoming;
    const leg = this.#legs.get(request.dialog);
    if (leg) return leg.handle(incoming);
    if (request.source === 'server' || request.method === 'ACK') return;
    const early = this.#early.get(request.dialog);
    if (early) return early.handle(incoming);
    // The server has found what it confirms; the INVITE is over.
    if (request.method === 'PRACK') return this.#respond(incoming, { status: 200 });
    if (request.dialog !== '' || parseParty(request.header('to') ?? '').tag !== '') {
      return this.#respond(incoming, { status: 481 });
    }
    if (request.method === 'INVITE') return this.#onInvite(incoming);
    if (request.method === 'OPTIONS') return this.#respond(incoming, this.#user.onOptions());
    return this.#respond(incoming, outsideOfDialogs.get(request.method) ?? notAllowed);
  }

  #onInvite(incoming: Incoming): void {
    const { sessionSeconds } = this.#options;
    const sender = this.#sender();
    const createLeg = (dialog: string, user: LegUser) => this.#createLeg(dialog, user, sender);
    const onSettled = (dialog: string) => this.#early.delete(dialog);
    const call = new IncomingCall(incoming, { sessionSeconds, createLeg, onSettled });
    const refusal = refusalOf(incoming.request);
    if (refusal) {
      call.reject(refusal);
      return this.#user.onUnsupported?.(call);
    }
    this.#early.set(call.dialog, call);
    const replaces = incoming.request.header('replaces');
    return replaces === undefined ? this.#user.onIncoming(call) : this.#onReplaces(call, replaces);
  }

  /** RFC 3891: the INVITE takes the place of a leg, whose call goes on. */
  #onReplaces(call: IncomingCall, value: string): void {
    const match = matchReplaces(value, { legs: this.#legs.values(), ended: this.#ended });
    if (match.kind === 'leg') return void replace(match.leg, call);
    call.reject(match.rejection);
    return this.#user.onUnsupported?.(call);
  }

  #respond(incoming: Incoming, response: Response): void {
    incoming.respond(response).catch(() => undefined);
  }
}

const notAllowed: Response = { status: 405, headers: { Allow: allowedMethods.join(', ') } };

/** Requests that make sense in dialogs only: RFC 6086 §4.2.2, RFC 6665 §4.1.3 and §7.2. */
const outsideOfDialogs = new Map<string, Response>([
  ['INFO', { status: 481 }],
  ['NOTIFY', { status: 481 }],
  ['UPDATE', { status: 481 }],
  ['SUBSCRIBE', { status: 489, headers: { 'Allow-Events': 'refer' } }],
]);

/** What makes an INVITE useless before anyone looks at its SDP (RFC 3261 §8.2). */
function refusalOf(request: Received): Response | undefined {
  if (!request.header('contact')) return { status: 400, reason: 'Missing Contact' };
  return unsupportedOf(request);
}
