import { isForeign } from '../dialog/draft-headers.ts';
import { canonicalName, header, headers } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { formatNameAddr, parseNameAddr, tagOf, withTag } from '../message/name-addr.ts';
import type { ListenPoint } from '../transport/transport.ts';
import { Refusal, type RequestDraft, type ResponseDraft } from '../user-agent.ts';
import { contactOf, withOwnContact, withOwnHost } from './own-address.ts';

/** What a request outside of dialogs gets where its draft says nothing. */
export interface RequestDefaults {
  readonly callId: string;
  readonly fromTag: string;
  readonly sequence: number;
}

/** Requests that begin a dialog, and so must say where their sender is reached (§8.1.1.8). */
const dialogMakers = new Set(['INVITE', 'SUBSCRIBE']);

/** Headers in which `localhost` means this server. */
const identities = new Set(['p-asserted-identity', 'p-preferred-identity', 'referred-by']);

/** A request outside of dialogs, complete but for its Via (`drachtio-protocol.md` 4.7). */
export function composeRequest(
  draft: RequestDraft,
  defaults: RequestDefaults,
  local: ListenPoint,
): SipRequest {
  const { method, body } = draft;
  const needsContact = dialogMakers.has(method) && header(draft, 'contact') === undefined;
  return {
    kind: 'request',
    method,
    uri: draft.uri,
    headers: [
      { name: 'Max-Forwards', value: header(draft, 'max-forwards') ?? '70' },
      { name: 'From', value: fromOf(draft, defaults.fromTag, local) },
      { name: 'To', value: toOf(draft, local) },
      { name: 'Call-ID', value: header(draft, 'call-id') ?? defaults.callId },
      { name: 'CSeq', value: sequenceOf(draft, defaults.sequence) },
      ...(needsContact ? [{ name: 'Contact', value: contactOf(local, draft.uri) }] : []),
      ...foreign(draft, local),
      ...contentTypeOf(draft),
    ],
    body,
  };
}

/** Checks what `composeRequest` cannot put right. Throws `Refusal`. */
export function checkDraft(draft: RequestDraft): void {
  if (draft.body.length > 0 && contentTypeOf(draft).length === 0) {
    if (header(draft, 'content-type') === undefined) throw new Refusal('missing content-type');
  }
  const from = header(draft, 'from');
  if (from !== undefined && !parseNameAddr(from)) {
    throw new Refusal(`invalid from value provided by client: ${from}`);
  }
}

function fromOf(draft: RequestDraft, tag: string, local: ListenPoint): string {
  const given = header(draft, 'from');
  const value = given === undefined ? contactOf(local) : withOwnHost(given, local);
  return tagOf(value) === undefined ? tagged(value, tag) : value;
}

function toOf(draft: RequestDraft, local: ListenPoint): string {
  const given = header(draft, 'to');
  return given === undefined ? `<${draft.uri}>` : withOwnHost(given, local);
}

/** A bare addr-spec gets its brackets, so that the tag is the header's. */
function tagged(value: string, tag: string): string {
  const parsed = parseNameAddr(value);
  if (!parsed) return `${value};tag=${tag}`;
  return value.includes('>') && tagOf(value) === undefined
    ? `${value};tag=${tag}`
    : formatNameAddr(withTag(parsed, tag));
}

/** The application's own number, as digests are computed with it. */
function sequenceOf(draft: RequestDraft, fallback: number): string {
  const given = /^\s*(\d+)/.exec(header(draft, 'cseq') ?? '')?.[1];
  return `${given ?? fallback} ${draft.method}`;
}

/** Headers of the application, `localhost` replaced. */
function foreign(draft: { headers: readonly Header[] }, local: ListenPoint): Header[] {
  return draft.headers
    .filter((each) => isForeign(each.name))
    .map((each) => withOwnHostIn(each, local));
}

/** A request whose headers may say `localhost` where they mean the server. */
export function withOwnHosts(request: SipRequest, local: ListenPoint): SipRequest {
  return { ...request, headers: request.headers.map((each) => withOwnHostIn(each, local)) };
}

function withOwnHostIn(each: Header, local: ListenPoint): Header {
  if (!each.value.includes('localhost')) return each;
  const name = canonicalName(each.name);
  if (name === 'contact') return { ...each, value: withOwnContact(each.value, local) };
  return identities.has(name) ? { ...each, value: withOwnHost(each.value, local) } : each;
}

/** An SDP body may come without its type. */
export function contentTypeOf(draft: { headers: readonly Header[]; body: Buffer }): Header[] {
  const isSdp = draft.body.subarray(0, 3).toString('latin1') === 'v=0';
  if (!isSdp || header(draft, 'content-type') !== undefined) return [];
  return [{ name: 'Content-Type', value: 'application/sdp' }];
}

/** How a response is completed. */
export interface ResponseParts {
  readonly local: ListenPoint;
  /** Put into To where the request has none. */
  readonly toTag: string;
  /** Contact for those responses that need one, where the application gave none. */
  readonly contact?: string;
  /** Written by the server: RSeq, Session-Expires. They replace what the application says. */
  readonly extra?: readonly Header[];
}

/** A response to a request (§8.2.6.2): Via, Record-Route, From, To, Call-ID and CSeq are the request's. */
export function composeResponse(
  request: SipRequest,
  draft: ResponseDraft,
  { local, toTag, contact, extra = [] }: ResponseParts,
): SipResponse {
  const replaced = new Set(
    extra.map((each) => each.name.toLowerCase()).filter((n) => n !== 'require'),
  );
  const to = header(request, 'to') ?? '';
  const isDialog = draft.status > 100 && draft.status < 300;
  const needsContact = contact !== undefined && header(draft, 'contact') === undefined;
  return {
    kind: 'response',
    status: draft.status,
    reason: draft.reason,
    headers: [
      ...copied(request, 'Via'),
      ...(isDialog ? copied(request, 'Record-Route') : []),
      { name: 'From', value: header(request, 'from') ?? '' },
      {
        name: 'To',
        value: draft.status === 100 || tagOf(to) !== undefined ? to : tagged(to, toTag),
      },
      { name: 'Call-ID', value: header(request, 'call-id') ?? '' },
      { name: 'CSeq', value: header(request, 'cseq') ?? '' },
      ...(needsContact ? [{ name: 'Contact', value: contact }] : []),
      ...foreign(draft, local).filter((each) => !replaced.has(each.name.toLowerCase())),
      ...extra,
      ...contentTypeOf(draft),
    ],
    body: draft.body,
  };
}

function copied(request: SipRequest, name: string): Header[] {
  return headers(request, name).map((value) => ({ name, value }));
}

/** A response without anything of an application. */
export function plainResponse(
  status: number,
  reason: string,
  extra: readonly Header[] = [],
): ResponseDraft {
  return { status, reason, headers: extra, body: Buffer.alloc(0) };
}
