import { canonicalName } from '../sip/message/headers.ts';
import type { SipResponse } from '../sip/message/message.ts';

/** Statuses that tell the caller how to do better come before others of their class (§16.7 step 6). */
const helpful = [401, 407, 415, 420, 484];

const challenges = new Set(['www-authenticate', 'proxy-authenticate']);

/**
 * The final response to forward when no target accepted (RFC 3261 §16.7 steps 6 and 7): 6xx first, then the
 * lowest class; challenges of all targets together; a target's 503 says nothing about this server. Undefined
 * when there is none.
 */
export function bestResponse(finals: readonly SipResponse[]): SipResponse | undefined {
  const best = finals.toSorted((a, b) => rank(a.status) - rank(b.status))[0];
  if (!best) return undefined;
  if (best.status === 503) return { ...best, status: 500, reason: 'Server Internal Error' };
  return best.status === 401 || best.status === 407 ? withAllChallenges(best, finals) : best;
}

function rank(status: number): number {
  const statusClass = Math.floor(status / 100);
  if (statusClass === 6) return 0;
  return statusClass * 10 + (helpful.includes(status) ? 0 : 1);
}

function withAllChallenges(best: SipResponse, finals: readonly SipResponse[]): SipResponse {
  const others = finals
    .filter((each) => each !== best && (each.status === 401 || each.status === 407))
    .flatMap((each) => each.headers.filter((line) => challenges.has(canonicalName(line.name))));
  return { ...best, headers: [...best.headers, ...others] };
}
