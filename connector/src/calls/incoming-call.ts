import { ConnectorError } from '../base/errors.ts';
import { capabilities } from './capabilities.ts';
import { answerEarly } from './early-dialog.ts';
import type { Leg, LegUser } from './leg.ts';
import { type Party, parseParty, userOf } from './party.ts';
import { sdpBodyOf, unsupportedBody } from './sdp-body.ts';
import { sessionTimerAnswer, tokensOf } from './session-timer.ts';
import type { Headers, Incoming, Received } from './signalling.ts';

export interface Rejection {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
}

export interface IncomingDependencies {
  readonly sessionSeconds: number;
  /** Makes the leg of a dialog and delivers the dialog's requests to it from then on. */
  readonly createLeg: (dialog: string, user: LegUser) => Leg;
  /** The INVITE has its final answer, or wants none any more. */
  readonly onSettled: (dialog: string) => void;
}

/** A new INVITE that waits for an answer; the SIP server has sent 100. */
export class IncomingCall {
  /** The SIP server's name for the dialog that the INVITE begins. */
  readonly dialog: string;
  /** Call-ID of the INVITE. */
  readonly sipCallId: string;
  readonly from: Party;
  readonly to: Party;
  /** User part of the request-URI: what the caller dialled. */
  readonly dialledUser: string;
  /** Address the INVITE came from. */
  readonly sourceAddress: string;
  /** SDP offer; empty when the caller wants ours (delayed offer). */
  readonly offer: string;
  /** There is a body, but no SDP in it: a call that can only be rejected, with 415. */
  readonly hasForeignBody: boolean;
  readonly #incoming: Incoming;
  readonly #with: IncomingDependencies;
  #state: 'open' | 'answering' | 'done' | 'cancelled' = 'open';
  #onCancelled: (() => void) | undefined;

  constructor(incoming: Incoming, dependencies: IncomingDependencies) {
    const { request } = incoming;
    this.#incoming = incoming;
    this.#with = dependencies;
    this.dialog = dialogOf(request);
    this.sipCallId = request.header('call-id') ?? '';
    this.from = parseParty(request.header('from') ?? '');
    this.to = parseParty(request.header('to') ?? '');
    this.dialledUser = userOf(request.uri);
    this.sourceAddress = request.sourceAddress;
    const body = sdpBodyOf(request);
    this.offer = body.kind === 'sdp' ? body.sdp : '';
    this.hasForeignBody = body.kind === 'unsupported';
    incoming.onCancelled(() => this.#cancel());
  }

  get request(): Received {
    return this.#incoming.request;
  }

  /** Called once when the caller gives up; the SIP server has answered 487 by then. */
  onCancelled(listener: () => void): void {
    this.#onCancelled = listener;
  }

  /** A request in the early dialog, before the INVITE has its answer. */
  handle({ request, respond }: Incoming): void {
    respond(answerEarly(request)).catch(() => undefined);
    // RFC 3261 §15: the caller may also leave this way.
    if (request.method === 'BYE') this.#cancel();
  }

  #cancel(): void {
    if (this.#state === 'done' || this.#state === 'cancelled') return;
    this.#settle('cancelled');
    this.#onCancelled?.();
  }

  #settle(state: 'done' | 'cancelled'): void {
    this.#state = state;
    this.#with.onSettled(this.dialog);
  }

  /** 180, reliably where the caller demands it (RFC 3262 §3). */
  ring(): void {
    if (this.#state !== 'open') return;
    const isReliable = tokensOf(this.request.header('require')).includes('100rel');
    const headers = { ...capabilities, ...(isReliable ? { Require: '100rel' } : {}) };
    // A caller that is gone meanwhile is told of by its CANCEL.
    this.#incoming.respond({ status: 180, headers }).catch(() => undefined);
  }

  /** 200 with `sdp`: the answer, or our offer where there was none. Rejects with CALL_GONE. */
  async answer(sdp: string, user: LegUser): Promise<Leg> {
    if (this.#state !== 'open') throw new ConnectorError('CALL_GONE', 'the caller is gone');
    this.#state = 'answering';
    const isOffer = this.offer === '';
    const leg = this.#with.createLeg(this.dialog, user);
    leg.answered(isOffer);
    leg.know({ remoteSdp: this.offer });
    try {
      await this.#incoming.respond({
        status: 200,
        headers: {
          ...capabilities,
          ...sessionTimerAnswer(this.request, this.#with.sessionSeconds),
          'Content-Type': 'application/sdp',
        },
        body: sdp,
      });
    } catch (error) {
      leg.abandon();
      this.#with.onSettled(this.dialog);
      throw error;
    }
    this.#settle('done');
    return leg;
  }

  /** Final refusal; does nothing when the call is answered, refused or cancelled. */
  reject({ status, reason, headers = {} }: Rejection): void {
    if (this.#state !== 'open') return;
    this.#settle('done');
    const response = {
      status,
      // RFC 3261 §21.4.13: a 415 says what would have been taken.
      headers: {
        ...(status === unsupportedBody.status ? unsupportedBody.headers : {}),
        ...headers,
      },
      ...(reason === undefined ? {} : { reason }),
    };
    this.#incoming.respond(response).catch(() => undefined);
  }
}

/** The SIP server's name for the dialog of an INVITE from the network. */
function dialogOf(request: Received): string {
  const { tag } = parseParty(request.header('from') ?? '');
  return `${request.header('call-id') ?? ''};from-tag=${tag}`;
}
