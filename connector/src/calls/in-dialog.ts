import { allowedMethods, capabilities, optionsAnswer } from './capabilities.ts';
import { mediaTypeOf, parseInfoDigit } from './info-dtmf.ts';
import { sdpBodyOf, unsupportedBody } from './sdp-body.ts';
import { sessionTimerAnswer, tokensOf } from './session-timer.ts';
import type { Received, Response } from './signalling.ts';

/** What a leg does about a request in its dialog, other than ACK and BYE. */
export type InDialogVerdict =
  | { readonly kind: 'answer'; readonly response: Response }
  | { readonly kind: 'digit'; readonly digit: string; readonly duration: number }
  /** NOTIFY of the subscription that our REFER made. */
  | { readonly kind: 'refer-progress' }
  /** A new offer; an INVITE without one wants ours. */
  | { readonly kind: 'negotiate'; readonly offer: string | undefined };

const methodsOfSip: ReadonlySet<string> = new Set([
  ...allowedMethods,
  'REGISTER',
  'SUBSCRIBE',
  'PUBLISH',
]);

/** Pure: the verdict on a request. */
export function verdictOn(request: Received, sessionSeconds: number): InDialogVerdict {
  switch (request.method) {
    case 'INVITE':
    case 'UPDATE':
      return onNegotiation(request, sessionSeconds);
    case 'INFO':
      return onInfo(request);
    case 'NOTIFY':
      return onNotify(request);
    case 'MESSAGE':
      return mediaTypeOf(request.header('content-type')) === 'text/plain'
        ? answer({ status: 200 })
        : answer({ status: 415, headers: { Accept: 'text/plain' } });
    default:
      return answer(plainAnswers.get(request.method) ?? refusalOf(request.method));
  }
}

const plainAnswers = new Map<string, Response>([
  ['OPTIONS', { status: 200, headers: optionsAnswer }],
  ['PRACK', { status: 200 }],
  // Nobody but the agent decides where its call goes.
  ['REFER', { status: 603, reason: 'Decline' }],
]);

function answer(response: Response): InDialogVerdict {
  return { kind: 'answer', response };
}

function refusalOf(method: string): Response {
  return methodsOfSip.has(method)
    ? { status: 405, headers: { Allow: allowedMethods.join(', ') } }
    : { status: 501, headers: { Allow: allowedMethods.join(', ') } };
}

/** 420 where Require names what we do not know (RFC 3261 §8.2.2.3). */
export function unsupportedOf(request: Received): Response | undefined {
  const unknown = tokensOf(request.header('require')).filter(
    (token) => !tokensOf(capabilities['Supported']).includes(token),
  );
  return unknown.length === 0
    ? undefined
    : { status: 420, headers: { Unsupported: unknown.join(', ') } };
}

function onNegotiation(request: Received, sessionSeconds: number): InDialogVerdict {
  const unsupported = unsupportedOf(request);
  if (unsupported) return answer(unsupported);
  const body = sdpBodyOf(request);
  if (body.kind === 'unsupported') return answer(unsupportedBody);
  if (body.kind === 'sdp') return { kind: 'negotiate', offer: body.sdp };
  if (request.method === 'INVITE') return { kind: 'negotiate', offer: undefined };
  // An UPDATE without SDP refreshes the session (RFC 4028 §7.4).
  const headers = { ...capabilities, ...sessionTimerAnswer(request, sessionSeconds) };
  return answer({ status: 200, headers });
}

function onInfo(request: Received): InDialogVerdict {
  const key = parseInfoDigit(request.header('content-type'), request.body);
  if (key) return { kind: 'digit', ...key };
  // RFC 6086 §4.2.2: 469 for a package we never said we receive.
  if (request.header('info-package') !== undefined) {
    return answer({ status: 469, reason: 'Bad Info Package', headers: { 'Recv-Info': '' } });
  }
  // An empty INFO is a probe (§4.2.2 wants 200 for it).
  if (request.body.trim() === '') return answer({ status: 200 });
  const isDigits = mediaTypeOf(request.header('content-type')).startsWith('application/dtmf');
  return isDigits
    ? answer({ status: 400, reason: 'No Digit' })
    : answer({ status: 415, headers: { Accept: 'application/dtmf-relay, application/dtmf' } });
}

function onNotify(request: Received): InDialogVerdict {
  const event = request.header('event')?.split(';')[0]?.trim().toLowerCase();
  return event === 'refer'
    ? { kind: 'refer-progress' }
    : answer({ status: 489, headers: { 'Allow-Events': 'refer' } });
}
