import { isIntervalTooSmall } from '../dialog/session-negotiation.ts';
import { headers } from '../message/headers.ts';
import type { Header, SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import type { LiveDialog } from './live-dialog.ts';

/** A response that the server gives without asking. */
export type Verdict = readonly [number, string, ...Header[]];

/** Option tags that the server or its applications know (RFC 3262, RFC 4028, RFC 3891). */
const supported = new Set(['100rel', 'timer', 'replaces']);

export const tooEarly: Verdict = [500, 'Server Internal Error'];
export const crossing: Verdict = [491, 'Request Pending'];
export const unknownDialog: Verdict = [481, 'Call/Transaction Does Not Exist'];

/** What is wrong with a request, wherever it belongs (§8.2.2). */
export function judge(request: SipRequest): Verdict | undefined {
  const uri = parseUri(request.uri);
  if (!uri || uri.kind === 'other') return [416, 'Unsupported URI Scheme'];
  const unknown = headers(request, 'require').filter((tag) => !supported.has(tag.toLowerCase()));
  if (unknown.length > 0) {
    return [420, 'Bad Extension', { name: 'Unsupported', value: unknown.join(', ') }];
  }
  if ((request.method === 'INVITE' || request.method === 'UPDATE') && isIntervalTooSmall(request)) {
    return [422, 'Session Interval Too Small', { name: 'Min-SE', value: '90' }];
  }
  return undefined;
}

/** Requests that cross others in their dialog (§14.2, RFC 3311 §5.2). */
export function judgeInDialog(live: LiveDialog, request: SipRequest): Verdict | undefined {
  if (request.method === 'INVITE') {
    if (live.clientInvite || live.hasClientUpdate) return crossing;
    if (live.hasServerUpdate) return tooEarly;
    if (live.serverInvite) return live.serverInvite.isAnswered ? crossing : tooEarly;
  }
  if (request.method === 'UPDATE') {
    if (live.hasServerUpdate) return tooEarly;
    if (live.hasClientUpdate) return crossing;
    if (request.body.length > 0) return judgeOffer(live);
  }
  return undefined;
}

/** RFC 3311 §5.2: an UPDATE with an offer while a re-INVITE has one that is not answered. */
function judgeOffer(live: LiveDialog): Verdict | undefined {
  // In an early dialog only those who exchange the session know whether the first offer is answered.
  if (live.state.phase !== 'confirmed') return undefined;
  if (live.clientInvite) return crossing;
  return live.serverInvite && !live.serverInvite.isAnswered ? tooEarly : undefined;
}
