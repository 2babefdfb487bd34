import { allowedMethods, capabilities, optionsAnswer } from './capabilities.ts';
import { sdpBodyOf } from './sdp-body.ts';
import type { Received, Response } from './signalling.ts';

/** No session is negotiated before the 200; a short wait, and it will be there. */
const retryAfterSeconds = '2';

/**
 * The answer to a request in the dialog of an INVITE that has none yet: no session is exchanged in
 * one, and what is refused here leaves the call as it was.
 */
export function answerEarly(request: Received): Response {
  const hasSession = sdpBodyOf(request).kind !== 'none';
  switch (request.method) {
    case 'PRACK':
      // RFC 3262 §5: our provisionals carry no session, so that this is an offer; the provisional is confirmed.
      return hasSession
        ? { status: 488, headers: { Warning: '399 parley "No offer is taken in PRACK"' } }
        : { status: 200 };
    case 'UPDATE':
      // RFC 3311 §5.2: the offer of the INVITE is not answered.
      return hasSession
        ? { status: 500, headers: { 'Retry-After': retryAfterSeconds } }
        : { status: 200, headers: capabilities };
    case 'BYE':
      return { status: 200 };
    case 'OPTIONS':
      return { status: 200, headers: optionsAnswer };
    case 'INFO':
      return request.body.trim() === '' ? { status: 200 } : { status: 481 };
    case 'NOTIFY':
    case 'SUBSCRIBE':
      return { status: 489, headers: { 'Allow-Events': 'refer' } };
    default:
      return { status: 405, headers: { Allow: allowedMethods.join(', ') } };
  }
}
