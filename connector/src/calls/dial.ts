import type { Clock } from '../base/clock.ts';
import { capabilities } from './capabilities.ts';
import type { Leg, LegUser } from './leg.ts';
import { nameAddrOf } from './party.ts';
import { tagsOfReply } from './replaces.ts';
import type { RequestSender } from './request-sender.ts';
import { sdpBodyOf } from './sdp-body.ts';
import { sessionTimerOffer } from './session-timer.ts';
import type { Draft, Reply, Sent } from './signalling.ts';

export interface DialOptions {
  /** Request-URI and To. */
  readonly to: string;
  /** URI for From. */
  readonly from: string;
  /** Our offer. */
  readonly sdp: string;
  /** Next hop as a SIP URI, where it is not the request-URI. */
  readonly route?: string;
  /** Rings no longer than this. */
  readonly timeout: number;
  /** Gives up: CANCEL, or BYE when the answer crosses it. */
  readonly signal?: AbortSignal;
  readonly onProvisional?: (status: number, sdp: string | undefined) => void;
  readonly user: LegUser;
}

export type DialOutcome =
  /** `sdp`: the peer's answer. The ACK is sent; `user.onConfirmed` was called. */
  | { readonly outcome: 'answered'; readonly leg: Leg; readonly sdp: string }
  | {
      readonly outcome: 'failed';
      readonly status: number;
      readonly reason: string;
      /** Contact of a 3xx, as written: where the callee can be reached (RFC 3261 §8.1.3.4). */
      readonly contact?: string;
    };

export interface DialDependencies {
  readonly sender: RequestSender;
  readonly clock: Clock;
  readonly sessionSeconds: number;
  readonly createLeg: (dialog: string, user: LegUser) => Leg;
}

/** Sends an INVITE and follows it to the final response. Never rejects; redirections are failures. */
export async function dial(
  dependencies: DialDependencies,
  options: DialOptions,
): Promise<DialOutcome> {
  const first = await new Attempt(dependencies, options).run(dependencies.sessionSeconds);
  if ('minSeconds' in first) {
    const second = await new Attempt(dependencies, options).run(first.minSeconds);
    return 'minSeconds' in second ? failure(422, 'Session Interval Too Small') : second;
  }
  return first;
}

/** 422 names the interval the peer accepts (RFC 4028 §7.3): one more try. */
type AttemptOutcome = DialOutcome | { readonly minSeconds: number };

class Attempt {
  readonly #with: DialDependencies;
  readonly #options: DialOptions;
  readonly #outcome = Promise.withResolvers<AttemptOutcome>();
  #sent: Sent | undefined;
  #isGivenUp = false;

  constructor(dependencies: DialDependencies, options: DialOptions) {
    this.#with = dependencies;
    this.#options = options;
  }

  async run(sessionSeconds: number): Promise<AttemptOutcome> {
    const { timeout, signal } = this.#options;
    if (signal?.aborted) return failure(487, 'Cancelled');
    const limit = this.#with.clock.after(timeout, () => this.#giveUp(failure(408, 'No answer')));
    const onAbort = () => this.#giveUp(failure(487, 'Cancelled'));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#with.sender
        .send(this.#draft(sessionSeconds), (reply) => this.#onReply(reply))
        .then(
          (sent) => this.#onSent(sent),
          () => this.#outcome.resolve(failure(503, 'Not sent')),
        );
      return await this.#outcome.promise;
    } finally {
      limit.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #draft(sessionSeconds: number): Draft {
    const { to, from, sdp, route } = this.#options;
    return {
      method: 'INVITE',
      uri: to,
      headers: {
        From: nameAddrOf(from),
        To: nameAddrOf(to),
        ...capabilities,
        ...sessionTimerOffer(sessionSeconds),
        'Content-Type': 'application/sdp',
      },
      body: sdp,
      ...(route === undefined ? {} : { route }),
    };
  }

  #onSent(sent: Sent): void {
    this.#sent = sent;
    if (this.#isGivenUp) sent.cancel();
  }

  #giveUp(outcome: DialOutcome): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#sent?.cancel();
    this.#outcome.resolve(outcome);
  }

  #onReply(reply: Reply): void {
    if (reply.status < 200) return this.#onProvisional(reply);
    if (reply.status < 300) return this.#onAnswer(reply);
    const minSeconds = Number(/^\s*(\d{1,9})/.exec(reply.header('min-se') ?? '')?.[1]);
    if (reply.status === 422 && minSeconds > 0) return this.#outcome.resolve({ minSeconds });
    const contact = reply.status < 400 ? reply.header('contact') : undefined;
    const failed = failure(reply.status, reply.reason);
    return this.#outcome.resolve(contact === undefined ? failed : { ...failed, contact });
  }

  #onProvisional(reply: Reply): void {
    if (reply.header('rseq') !== undefined) reply.acknowledge();
    if (this.#isGivenUp) return;
    const body = sdpBodyOf(reply);
    this.#options.onProvisional?.(reply.status, body.kind === 'sdp' ? body.sdp : undefined);
  }

  #onAnswer(reply: Reply): void {
    reply.acknowledge();
    const leg = this.#with.createLeg(reply.dialog, this.#options.user);
    const body = sdpBodyOf(reply);
    leg.know({ tags: tagsOfReply(reply), ...(body.kind === 'sdp' && { remoteSdp: body.sdp }) });
    if (this.#isGivenUp || body.kind !== 'sdp') {
      leg.abort();
      return this.#outcome.resolve(failure(488, 'No session description in the answer'));
    }
    this.#outcome.resolve({ outcome: 'answered', leg, sdp: body.sdp });
    return leg.confirmed();
  }
}

function failure(status: number, reason: string) {
  return { outcome: 'failed', status, reason } as const;
}
