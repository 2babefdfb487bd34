import type { Clock } from '../base/clock.ts';
import { ConnectorError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { capabilities } from './capabilities.ts';
import { verdictOn } from './in-dialog.ts';
import { type InfoDigit, infoDigitBody, infoDigitType } from './info-dtmf.ts';
import { type LegPhase, mayFollow } from './phase.ts';
import { type ReferOptions, type ReferOutcome, Transfer } from './refer.ts';
import { type DialogTags, tagsOfReceived } from './replaces.ts';
import type { RequestSender } from './request-sender.ts';
import { sdpBodyOf } from './sdp-body.ts';
import { sessionTimerAnswer } from './session-timer.ts';
import type { Headers, Incoming, Received } from './signalling.ts';

/** Why a leg ended without a `hangUp` of ours. */
export type LegEnd =
  | 'remote-hung-up'
  /** The peer hung up after it had accepted our REFER. */
  | 'transferred'
  /** Our 200 was never acknowledged (RFC 3261 §13.3.1.4). */
  | 'no-ack'
  /** The peer did not refresh the session (RFC 4028 §10), or no longer answers. */
  | 'session-expired'
  /** The answer in the ACK to our offer cannot be used. */
  | 'media-not-acceptable'
  /** The SIP server or the connection to it is gone. */
  | 'signalling-lost';

/** What a leg asks of the call on it. An offer that is refused (a ConnectorError) leaves the leg as it was. */
export interface LegUser {
  /** Answer to a new offer of the peer. */
  onOffer(sdp: string): string;
  /** Our offer, where the peer's INVITE has none. */
  onOfferWanted(): string;
  /** The peer's answer to `onOfferWanted`, in its ACK. Throws when it cannot be used: the leg is then ended. */
  onAnswer(sdp: string): void;
  /** The ACK of the initial INVITE has come, or was sent. */
  onConfirmed(): void;
  onDigit(digit: string, duration: number): void;
  /** Another leg goes on in the place of this one (RFC 3891); it tells the same user from now on. */
  onReplaced?(by: Leg): void;
  /** Once, never after `hangUp`. */
  onEnded(end: LegEnd): void;
}

export interface LegDependencies {
  readonly dialog: string;
  readonly sender: RequestSender;
  readonly clock: Clock;
  readonly log: Log;
  readonly sessionSeconds: number;
  /** The leg exists no more. */
  readonly onGone: (leg: Leg) => void;
}

/** One SIP dialog of an answered call. */
export class Leg {
  readonly id: string;
  readonly #with: LegDependencies;
  readonly #user: LegUser;
  #phase: LegPhase = 'setup';
  /** We sent the offer: the answer is to come with the ACK. */
  #awaitsAnswer = false;
  #isNegotiating = false;
  #transfer: Transfer | undefined;
  #goodbye: Promise<void> | undefined;
  #tags: DialogTags | undefined;
  #remoteSdp = '';
  #replacement: 'none' | 'open' | 'made' = 'none';
  /** Why the leg ended while its replacement was being made. */
  #heldEnd: LegEnd | undefined;
  readonly #acknowledged = Promise.withResolvers<void>();

  constructor(dependencies: LegDependencies, user: LegUser) {
    this.id = dependencies.dialog;
    this.#with = dependencies;
    this.#user = user;
  }

  get phase(): LegPhase {
    return this.#phase;
  }

  /** Undefined as long as nothing came from the peer in this dialog. */
  get tags(): DialogTags | undefined {
    return this.#tags;
  }

  /** The peer's session in force, or empty. */
  get remoteSdp(): string {
    return this.#remoteSdp;
  }

  get user(): LegUser {
    return this.#user;
  }

  /** How the dialog is named, and what its peer has said of the session. */
  know(known: { readonly tags?: DialogTags; readonly remoteSdp?: string }): void {
    this.#tags = known.tags ?? this.#tags;
    this.#remoteSdp = known.remoteSdp ?? this.#remoteSdp;
  }

  /** Another leg is about to take this one's place: an end of this one waits for what comes of it. */
  beginReplacement(): boolean {
    if (this.#replacement !== 'none' || this.#phase !== 'confirmed') return false;
    this.#replacement = 'open';
    return true;
  }

  /** Nothing came of it: the leg goes on, or is over if it ended meanwhile. */
  cancelReplacement(): void {
    this.#replacement = 'none';
    const end = this.#heldEnd;
    this.#heldEnd = undefined;
    if (end) this.#user.onEnded(end);
  }

  /** `by` has taken over: this one is left without a word to the user (RFC 3891 §3). */
  replacedBy(by: Leg): void {
    this.#replacement = 'made';
    const isWanted = !this.#goodbye;
    this.#user.onReplaced?.(by);
    // Hung up by the user meanwhile, who knew only this one.
    if (!isWanted) void by.hangUp();
    void this.hangUp({ Reason: 'SIP;cause=200;text="Replaced"' });
  }

  /** Our 200 is out. `isOffer`: it carried our offer. */
  answered(isOffer: boolean): void {
    this.#awaitsAnswer = isOffer;
    this.#enter('answered');
  }

  /** The initial 2xx is acknowledged. */
  confirmed(): void {
    if (!this.#enter('confirmed')) return;
    this.#acknowledged.resolve();
    if (!this.#goodbye) this.#user.onConfirmed();
  }

  /** A request in this dialog. */
  handle(incoming: Incoming): void {
    const { request } = incoming;
    this.#with.log.debug({ method: request.method }, 'request in dialog');
    if (!this.#tags && request.source === 'network') this.#tags = tagsOfReceived(request);
    if (request.method === 'ACK') return this.#onAck(request);
    if (request.method === 'BYE') return this.#onBye(incoming);
    return this.#answer(incoming);
  }

  /** The connection to the SIP server is gone, and the dialog with it. */
  lost(): void {
    this.#end('signalling-lost');
  }

  /** Forgets the leg: its dialog was never made. */
  abandon(): void {
    if (!this.#enter('ended')) return;
    this.#acknowledged.resolve();
    this.#with.onGone(this);
  }

  /** Ends a dialog that nobody wants any more, just after our ACK. */
  abort(): void {
    this.#enter('confirmed');
    void this.hangUp();
  }

  /** Sends BYE. Resolves when the peer has answered or cannot any more; never rejects. */
  hangUp(headers: Headers = {}): Promise<void> {
    this.#goodbye ??= this.#sayGoodbye(headers);
    return this.#goodbye;
  }

  /** Transfers the peer and follows it to the end (RFC 3515, 5589). Never rejects. */
  async refer(options: ReferOptions): Promise<ReferOutcome> {
    if (this.#phase !== 'confirmed') return { outcome: 'failed', status: 481, reason: 'Call gone' };
    if (this.#transfer) return { outcome: 'failed', status: 491, reason: 'Transfer in progress' };
    const { sender, clock } = this.#with;
    this.#transfer = new Transfer({ dialog: this.id, sender, clock });
    try {
      return await this.#transfer.run(options);
    } finally {
      this.#transfer = undefined;
    }
  }

  /** One key by INFO. False: the peer refused it, or the dialog is over. Never rejects. */
  async pressKey(key: InfoDigit): Promise<boolean> {
    if (this.#phase !== 'confirmed' || this.#goodbye) return false;
    const reply = await this.#with.sender.requestFinal({
      method: 'INFO',
      dialog: this.id,
      headers: { 'Content-Type': infoDigitType },
      body: infoDigitBody(key),
    });
    return reply !== undefined && reply.status < 300;
  }

  #enter(phase: LegPhase): boolean {
    if (!mayFollow(this.#phase, phase)) return false;
    this.#phase = phase;
    return true;
  }

  #onAck(request: Received): void {
    if (this.#awaitsAnswer) {
      this.#awaitsAnswer = false;
      const body = sdpBodyOf(request);
      if (!this.#acceptAnswer(body.kind === 'sdp' ? body.sdp : '')) return this.#refuseAnswer();
    }
    return this.confirmed();
  }

  #acceptAnswer(sdp: string): boolean {
    try {
      this.#user.onAnswer(sdp);
      this.#remoteSdp = sdp;
      return true;
    } catch (error) {
      this.#with.log.info({ error: messageOf(error) }, 'answer in ACK cannot be used');
      return false;
    }
  }

  #refuseAnswer(): void {
    void this.hangUp({ Reason: 'SIP;cause=488;text="Answer not acceptable"' });
    this.confirmed();
    this.#user.onEnded('media-not-acceptable');
  }

  #onBye({ request, respond }: Incoming): void {
    if (request.source === 'network') this.#settle(respond({ status: 200 }));
    this.#end(endOf(request));
  }

  #end(end: LegEnd): void {
    const isOurs = this.#phase === 'ending' || this.#goodbye !== undefined;
    if (!this.#enter('ended')) return;
    const isTransferred = end === 'remote-hung-up' && this.#transfer?.isAccepted === true;
    this.#transfer?.onCallEnded();
    this.#acknowledged.resolve();
    this.#with.onGone(this);
    if (isOurs || this.#replacement === 'made') return;
    const told = isTransferred ? 'transferred' : end;
    if (this.#replacement === 'open') this.#heldEnd = told;
    else this.#user.onEnded(told);
  }

  async #sayGoodbye(headers: Headers): Promise<void> {
    // RFC 3261 §15: no BYE before the ACK; without one the server ends the dialog after 32 s.
    if (this.#phase === 'answered') await this.#acknowledged.promise;
    if (!this.#enter('ending')) return;
    this.#transfer?.onCallEnded();
    await this.#with.sender.requestFinal({ method: 'BYE', dialog: this.id, headers });
    if (this.#enter('ended')) this.#with.onGone(this);
  }

  #answer(incoming: Incoming): void {
    const { request, respond } = incoming;
    const verdict = verdictOn(request, this.#with.sessionSeconds);
    switch (verdict.kind) {
      case 'answer':
        return this.#settle(respond(verdict.response));
      case 'digit':
        this.#settle(respond({ status: 200 }));
        return this.#user.onDigit(verdict.digit, verdict.duration);
      case 'refer-progress':
        this.#transfer?.onNotify(request);
        return this.#settle(respond({ status: this.#transfer ? 200 : 481 }));
      case 'negotiate':
        return this.#negotiate(incoming, verdict.offer);
    }
  }

  /** Re-INVITE, or UPDATE with an offer (RFC 3261 §14.2, 3311 §5.2). */
  #negotiate({ request, respond }: Incoming, offer: string | undefined): void {
    // On its way out, or about to be replaced: the session is no longer this leg's to change.
    if (this.#goodbye) return this.#settle(respond({ status: 481 }));
    if (
      this.#replacement === 'open' ||
      this.#isNegotiating ||
      this.#phase === 'answered' ||
      this.#awaitsAnswer
    ) {
      return this.#settle(respond({ status: 491, reason: 'Request Pending' }));
    }
    this.#isNegotiating = true;
    let sdp: string;
    try {
      sdp = offer === undefined ? this.#user.onOfferWanted() : this.#user.onOffer(offer);
    } catch (error) {
      this.#isNegotiating = false;
      return this.#refuse(respond, error);
    }
    this.#awaitsAnswer = offer === undefined;
    this.#remoteSdp = offer ?? this.#remoteSdp;
    const done = respond({
      status: 200,
      headers: {
        ...capabilities,
        ...sessionTimerAnswer(request, this.#with.sessionSeconds),
        'Content-Type': 'application/sdp',
      },
      body: sdp,
    }).finally(() => {
      this.#isNegotiating = false;
    });
    return this.#settle(done);
  }

  #refuse(respond: Incoming['respond'], error: unknown): void {
    const status = error instanceof ConnectorError ? error.sipStatus : 500;
    this.#with.log.info({ status, error: messageOf(error) }, 'offer refused');
    this.#settle(respond({ status, ...(status === 488 ? { headers: incompatible } : {}) }));
  }

  #settle(sent: Promise<unknown>): void {
    sent.catch((error: unknown) => {
      this.#with.log.debug({ error: messageOf(error) }, 'answer in dialog was not sent');
    });
  }
}

/** RFC 3261 §21.4.26 and §20.43. */
const incompatible: Headers = { Warning: '305 parley "Incompatible media format"' };

/** What a BYE means; the server gives its own a Reason (RFC 3326) with a text. */
function endOf(request: Received): LegEnd {
  if (request.source === 'network') return 'remote-hung-up';
  return /ack timeout/i.test(request.header('reason') ?? '') ? 'no-ack' : 'session-expired';
}
