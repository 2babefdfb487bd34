import { parseCSeq } from '../message/cseq.ts';
import { header, headers } from '../message/headers.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { parseNameAddr, tagOf } from '../message/name-addr.ts';
import { formatUri } from '../message/uri.ts';
import type { Received, Remote } from '../transport/transport.ts';
import { sourceOfUac, sourceOfUas } from './nat.ts';

/** The state of a dialog (RFC 3261 §12): plain data, a new value with every change. */
export interface Dialog {
  /** `<Call-ID>;from-tag=<From tag of the initial request>`; the same for all forks. */
  readonly id: string;
  readonly role: 'uac' | 'uas';
  readonly kind: 'invite' | 'subscribe';
  readonly phase: 'early' | 'confirmed';
  readonly callId: string;
  readonly localTag: string;
  /** Empty for a peer of RFC 2543 that sends none. */
  readonly remoteTag: string;
  /** Our From and To value, with tag. */
  readonly localParty: string;
  readonly remoteParty: string;
  /** Of our last request. */
  readonly localSequence: number;
  /** Of the peer's last request; absent before its first. */
  readonly remoteSequence?: number;
  /** The peer's Contact URI. */
  readonly remoteTarget: string;
  /** Route values, the first hop first. */
  readonly routeSet: readonly string[];
  /** Our Contact value. */
  readonly localContact: string;
  /** Where requests go first when the Contact cannot be reached from here (NAT). */
  readonly source?: Remote;
  /** The description of the session that we sent last and that is in force. */
  readonly localSdp?: string;
}

function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** The id of the dialog that a request begins. */
export function dialogIdOf(request: SipMessage): string {
  return dialogId(textOf(request, 'call-id'), tagIn(request, 'from'));
}

/** Dialog of the caller from a response with To tag to its INVITE or SUBSCRIBE (§12.1.2). */
export function uacDialog(request: SipRequest, response: SipResponse, received: Received): Dialog {
  const routeSet = headers(response, 'record-route').toReversed();
  const contact = contactUri(response);
  const source = sourceOfUac({ routeSet, contact }, received);
  return {
    id: dialogIdOf(request),
    role: 'uac',
    kind: kindOf(request),
    phase: response.status < 200 ? 'early' : 'confirmed',
    callId: textOf(request, 'call-id'),
    localTag: tagIn(request, 'from'),
    remoteTag: tagIn(response, 'to'),
    localParty: textOf(request, 'from'),
    remoteParty: textOf(response, 'to'),
    localSequence: sequenceOf(request),
    remoteTarget: contact ?? request.uri,
    routeSet,
    localContact: textOf(request, 'contact'),
    ...(source && { source }),
  };
}

/** Dialog of the one called, from the response with To tag that it sends (§12.1.1). */
export function uasDialog(
  request: SipRequest,
  response: SipResponse,
  start: { readonly received: Received; readonly localSequence: number; readonly contact: string },
): Dialog {
  const routeSet = headers(request, 'record-route');
  const contact = contactUri(request);
  const source = sourceOfUas({ routeSet, contact }, start.received);
  return {
    id: dialogIdOf(request),
    role: 'uas',
    kind: kindOf(request),
    phase: response.status < 200 ? 'early' : 'confirmed',
    callId: textOf(request, 'call-id'),
    localTag: tagIn(response, 'to'),
    remoteTag: tagIn(request, 'from'),
    localParty: textOf(response, 'to'),
    remoteParty: textOf(request, 'from'),
    localSequence: start.localSequence,
    remoteSequence: sequenceOf(request),
    remoteTarget: contact ?? uriOf(textOf(request, 'from')) ?? '',
    routeSet,
    localContact: header(response, 'contact') ?? start.contact,
    ...(source && { source }),
  };
}

/** The early dialog of a caller after the 2xx, which fixes the route set anew (§13.2.2.4). */
export function confirm(early: Dialog, confirmed: Dialog): Dialog {
  return {
    ...confirmed,
    localSequence: Math.max(early.localSequence, confirmed.localSequence),
    ...(early.remoteSequence !== undefined && { remoteSequence: early.remoteSequence }),
    ...(early.localSdp !== undefined && { localSdp: early.localSdp }),
  };
}

/** §12.2.1.2, §12.2.2: a target refresh takes the peer's new Contact. */
export function refreshTarget(dialog: Dialog, message: SipMessage, received: Received): Dialog {
  const contact = contactUri(message);
  if (contact === undefined || contact === dialog.remoteTarget) return dialog;
  const { source: _, ...rest } = dialog;
  const ofRole = dialog.role === 'uac' ? sourceOfUac : sourceOfUas;
  const source = ofRole({ routeSet: dialog.routeSet, contact }, received);
  return { ...rest, remoteTarget: contact, ...(source && { source }) };
}

/** §12.2.2: a lower CSeq than the last is out of order. Undefined then, else the dialog with the new one. */
export function takeSequence(dialog: Dialog, request: SipRequest): Dialog | undefined {
  const sequence = sequenceOf(request);
  if (dialog.remoteSequence !== undefined && sequence < dialog.remoteSequence) return undefined;
  return { ...dialog, remoteSequence: sequence };
}

/** The session description of a message, if it has one. */
export function sdpOf(message: SipMessage): string | undefined {
  const type = textOf(message, 'content-type');
  if (message.body.length === 0 || !/^application\/sdp\b/i.test(type)) return undefined;
  return message.body.toString('latin1');
}

export function sequenceOf(message: SipMessage): number {
  return parseCSeq(textOf(message, 'cseq'))?.sequence ?? 0;
}

function textOf(message: SipMessage, name: string): string {
  return header(message, name) ?? '';
}

function tagIn(message: SipMessage, name: 'from' | 'to'): string {
  return tagOf(textOf(message, name)) ?? '';
}

/** The URI of the first Contact, without what may not stand in a Request-URI (§19.1.1). */
function contactUri(message: SipMessage): string | undefined {
  return uriOf(headers(message, 'contact')[0] ?? '');
}

function uriOf(value: string): string | undefined {
  const uri = parseNameAddr(value)?.uri;
  if (!uri) return undefined;
  if (uri.kind !== 'sip') return formatUri(uri);
  const params = uri.params.filter((each) => each.name.toLowerCase() !== 'method');
  return formatUri({ ...uri, params, headers: [] });
}

function kindOf(request: SipRequest): 'invite' | 'subscribe' {
  return request.method === 'INVITE' ? 'invite' : 'subscribe';
}
