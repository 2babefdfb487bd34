import { type HasHeaders, hasToken, header } from '../message/headers.ts';
import {
  formatSessionExpires,
  parseDeltaSeconds,
  parseSessionExpires,
  type SessionExpires,
} from '../message/session-expires.ts';
import { minSeSeconds, type SessionTerms } from './session-timer.ts';

/** Terms of a session, and the headers that say so in the 2xx. */
export interface SessionAnswer {
  readonly terms?: SessionTerms;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** RFC 4028 §9: true when a request has to be refused with 422 and `Min-SE: 90`. */
export function isIntervalTooSmall(request: HasHeaders): boolean {
  const offer = sessionOf(request);
  return offer !== undefined && offer.intervalSeconds < minSeSeconds && supportsTimer(request);
}

/**
 * The one who answers (§9): what the application says, at least 90 s, else what the caller offered. The
 * caller refreshes where it can and nobody said otherwise.
 */
export function answerSession(request: HasHeaders, response: HasHeaders): SessionAnswer {
  const offered = sessionOf(request);
  const wanted = sessionOf(response);
  const base = wanted ?? offered;
  if (!base) return { headers: [] };
  const least = parseDeltaSeconds(header(request, 'min-se') ?? '') ?? minSeSeconds;
  const intervalSeconds = Math.max(base.intervalSeconds, least, minSeSeconds);
  // §9 table 2: what the caller names stays; one that knows no timers cannot refresh.
  const agreed = offered?.refresher ?? wanted?.refresher ?? 'uac';
  const refresher = supportsTimer(request) ? agreed : 'uas';
  const value = formatSessionExpires({ intervalSeconds, refresher });
  const isRequired = refresher === 'uac' && !hasToken(response, 'require', 'timer');
  return {
    terms: { intervalSeconds, isRefresher: refresher === 'uas' },
    headers: [
      { name: 'Session-Expires', value },
      ...(isRequired ? [{ name: 'Require', value: 'timer' }] : []),
    ],
  };
}

/** The one who asked (§7.2): the terms in a 2xx; without a refresher named it is us. */
export function termsOfAnswer(response: HasHeaders): SessionTerms | undefined {
  const given = sessionOf(response);
  if (!given) return undefined;
  const intervalSeconds = Math.max(given.intervalSeconds, minSeSeconds);
  return { intervalSeconds, isRefresher: given.refresher !== 'uas' };
}

/** Headers of a request that keeps the agreed session going (§7.4). */
export function refreshHeaders(
  terms: SessionTerms,
): readonly { readonly name: string; readonly value: string }[] {
  const refresher = terms.isRefresher ? 'uac' : 'uas';
  const { intervalSeconds } = terms;
  return [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: formatSessionExpires({ intervalSeconds, refresher }) },
    { name: 'Min-SE', value: String(minSeSeconds) },
  ];
}

function sessionOf(message: HasHeaders): SessionExpires | undefined {
  return parseSessionExpires(header(message, 'session-expires') ?? '');
}

function supportsTimer(message: HasHeaders): boolean {
  return hasToken(message, 'supported', 'timer') || hasToken(message, 'require', 'timer');
}
