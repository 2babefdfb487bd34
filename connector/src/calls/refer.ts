import type { Clock } from '../base/clock.ts';
import { nameAddrOf } from './party.ts';
import { type DialogTags, withReplaces } from './replaces.ts';
import type { RequestSender } from './request-sender.ts';
import type { Received, Reply } from './signalling.ts';
import { parseSipfrag, subscriptionStateOf } from './sipfrag.ts';

export interface ReferOptions {
  /** URI of the target. */
  readonly to: string;
  /** URI of whoever transfers (RFC 3892). */
  readonly referredBy?: string;
  /** Our dialog with the target, which the peer shall take over (attended transfer, RFC 5589 §7). */
  readonly replaces?: DialogTags;
}

export type ReferOutcome =
  | { readonly outcome: 'completed' }
  /** `status`: of the refused REFER, or of the target as the last NOTIFY told it. */
  | { readonly outcome: 'failed'; readonly status: number; readonly reason: string };

/** From the accepted REFER to the target's answer: the target's phone may ring for a while. */
const progressLimit = 90_000;

export interface TransferDependencies {
  readonly dialog: string;
  readonly sender: RequestSender;
  readonly clock: Clock;
}

/** One REFER of ours and the subscription it makes (RFC 3515 §2.4). */
export class Transfer {
  readonly #with: TransferDependencies;
  readonly #outcome = Promise.withResolvers<ReferOutcome>();
  #isAccepted = false;

  constructor(dependencies: TransferDependencies) {
    this.#with = dependencies;
  }

  /** The peer took the REFER: from now on it may hang up whenever it has done its part. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  async run({ to, referredBy, replaces }: ReferOptions): Promise<ReferOutcome> {
    const reply = await Promise.race([
      this.#with.sender.requestFinal({
        method: 'REFER',
        dialog: this.#with.dialog,
        headers: {
          'Refer-To': nameAddrOf(replaces ? withReplaces(to, replaces) : to),
          ...(referredBy === undefined ? {} : { 'Referred-By': nameAddrOf(referredBy) }),
        },
      }),
      // A NOTIFY may overtake the 202, and the call may end before it.
      this.#outcome.promise,
    ]);
    if (reply !== undefined && 'outcome' in reply) return reply;
    const refusal = refusalOf(reply);
    if (refusal) return refusal;
    this.#isAccepted = true;
    // RFC 4488: without a subscription the acceptance is all that will ever be known.
    if (/^\s*false/i.test(reply?.header('refer-sub') ?? '')) return { outcome: 'completed' };
    const limit = this.#with.clock.after(progressLimit, () => {
      this.#outcome.resolve(failure(408, 'No outcome reported'));
    });
    try {
      return await this.#outcome.promise;
    } finally {
      limit.cancel();
    }
  }

  /** A NOTIFY of event refer. */
  onNotify(request: Received): void {
    const fragment = parseSipfrag(request.body);
    const state = subscriptionStateOf(request.header('subscription-state'));
    if (fragment && fragment.status >= 200) {
      const { status, reason } = fragment;
      this.#outcome.resolve(status < 300 ? { outcome: 'completed' } : failure(status, reason));
    } else if (state === 'terminated') {
      this.#outcome.resolve(failure(480, 'Subscription ended without an outcome'));
    }
  }

  /** The dialog is over. */
  onCallEnded(): void {
    this.#outcome.resolve(this.#isAccepted ? { outcome: 'completed' } : failure(481, 'Call ended'));
  }
}

function refusalOf(reply: Reply | undefined): ReferOutcome | undefined {
  if (!reply) return failure(408, 'No answer to REFER');
  return reply.status >= 300 ? failure(reply.status, reply.reason) : undefined;
}

function failure(status: number, reason: string): ReferOutcome {
  return { outcome: 'failed', status, reason };
}
