import type { Clock } from '../base/clock.ts';
import { ConnectorError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { capabilities } from './capabilities.ts';
import { verdictOn } from './in-dialog.ts';
import { type LegPhase, mayFollow } from './phase.ts';
import { type ReferOptions, type ReferOutcome, Transfer } from './refer.ts';
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
  readonly #acknowledged = Promise.withResolvers<void>();

  constructor(dependencies: LegDependencies, user: LegUser) {
    this.id = dependencies.dialog;
    this.#with = dependencies;
    this.#user = user;
  }

  get phase(): LegPhase {
    return this.#phase;
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
    if (!isOurs) this.#user.onEnded(isTransferred ? 'transferred' : end);
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
    if (this.#isNegotiating || this.#phase === 'answered' || this.#awaitsAnswer) {
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
    this.#settle(respond({ status }));
  }

  #settle(sent: Promise<unknown>): void {
    sent.catch((error: unknown) => {
      this.#with.log.debug({ error: messageOf(error) }, 'answer in dialog was not sent');
    });
  }
}

/** What a BYE means; the server gives its own a Reason (RFC 3326) with a text. */
function endOf(request: Received): LegEnd {
  if (request.source === 'network') return 'remote-hung-up';
  return /ack timeout/i.test(request.header('reason') ?? '') ? 'no-ack' : 'session-expired';
}
