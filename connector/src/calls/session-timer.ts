import type { Headers } from './signalling.ts';

/** Session timers (RFC 4028): the SIP server keeps them, the headers written here set them. */

/** Smallest interval that RFC 4028 §5 allows. */
const minSeconds = 90;

/** Tokens of a comma separated header, lower case. */
export function tokensOf(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}

/**
 * Headers for the 2xx to an INVITE or UPDATE (§9). A peer that knows timers keeps its interval and its
 * choice of refresher, itself where it made none; for one that does not, we refresh.
 */
export function sessionTimerAnswer(
  request: { header(name: string): string | undefined },
  ownSeconds: number,
): Headers {
  const text = request.header('session-expires') ?? '';
  const asked = /^\s*(\d{1,9})/.exec(text)?.[1];
  const seconds = asked === undefined ? ownSeconds : Math.max(Number(asked), minSeconds);
  if (!tokensOf(request.header('supported')).includes('timer')) {
    return { 'Session-Expires': `${seconds};refresher=uas` };
  }
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(text)?.[1]?.toLowerCase() ?? 'uac';
  return {
    'Session-Expires': `${seconds};refresher=${refresher}`,
    // §9: a must where the UAC refreshes.
    ...(refresher === 'uac' ? { Require: 'timer' } : {}),
  };
}

/** Headers for an INVITE of ours (§7.1). */
export function sessionTimerOffer(seconds: number): Headers {
  return { 'Session-Expires': String(seconds), 'Min-SE': String(minSeconds) };
}
