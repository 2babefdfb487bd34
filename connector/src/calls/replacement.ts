import type { Clock } from '../base/clock.ts';
import { ConnectorError } from '../base/errors.ts';
import type { IncomingCall, Rejection } from './incoming-call.ts';
import type { Leg } from './leg.ts';
import { type DialogTags, isSameDialog, parseReplaces } from './replaces.ts';

/** How long an ended dialog is told from one that never was: as long as its BYE may be repeated. */
const memoryLimit = 32_000;
const memorySize = 1000;

/** Dialogs that are over, by which a Replaces that comes too late is known (RFC 3891 §3). */
export class EndedDialogs {
  readonly #clock: Clock;
  #ended: { readonly tags: DialogTags; readonly until: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(tags: DialogTags | undefined): void {
    if (!tags) return;
    const now = this.#clock.now();
    const fresh = this.#ended.filter(({ until }) => until > now).slice(1 - memorySize);
    this.#ended = [...fresh, { tags, until: now + memoryLimit }];
  }

  has(tags: DialogTags): boolean {
    const now = this.#clock.now();
    return this.#ended.some((each) => each.until > now && isSameDialog(each.tags, tags));
  }
}

/** What an INVITE with Replaces comes to: the leg whose place it takes, or why not (RFC 3891 §3). */
export type Match =
  | { readonly kind: 'leg'; readonly leg: Leg }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

/** Pure but for the clock in `ended`. */
export function matchReplaces(
  value: string,
  { legs, ended }: { readonly legs: Iterable<Leg>; readonly ended: EndedDialogs },
): Match {
  const replaces = parseReplaces(value);
  if (!replaces) return refused(400, 'Bad Replaces');
  for (const leg of legs) {
    if (!leg.tags || !isSameDialog(leg.tags, replaces)) continue;
    if (leg.phase === 'ending' || leg.phase === 'ended') return refused(603, 'Decline');
    if (replaces.isEarlyOnly) return refused(486, 'Busy Here');
    return { kind: 'leg', leg };
  }
  return ended.has(replaces) ? refused(603, 'Decline') : refused(481, 'No Such Dialog');
}

function refused(status: number, reason: string): Match {
  return { kind: 'refused', rejection: { status, reason } };
}

/** Answers `call` in the place of `leg`, whose user goes on with the new one. Never rejects. */
export async function replace(leg: Leg, call: IncomingCall): Promise<void> {
  const { user, remoteSdp } = leg;
  if (!user.onReplaced || !leg.beginReplacement()) {
    // Somebody else is taking it over, or it has no ACK yet.
    return call.reject({ status: 603 });
  }
  let hasMoved = false;
  try {
    if (call.hasForeignBody) throw new ConnectorError('SDP_UNSUPPORTED_TYPE', 'no SDP');
    const sdp = call.offer === '' ? user.onOfferWanted() : user.onOffer(call.offer);
    hasMoved = call.offer !== '';
    leg.replacedBy(await call.answer(sdp, user));
  } catch (error) {
    call.reject({ status: error instanceof ConnectorError ? error.sipStatus : 500 });
    if (hasMoved && remoteSdp !== '') restore(leg, remoteSdp);
    leg.cancelReplacement();
  }
}

/** The new caller went away in the moment of the answer: the sound goes back to where it was. */
function restore(leg: Leg, sdp: string): void {
  if (leg.phase !== 'confirmed') return;
  try {
    leg.user.onOffer(sdp);
  } catch {
    // It was good before; when the call is over meanwhile, there is no sound to move.
  }
}
