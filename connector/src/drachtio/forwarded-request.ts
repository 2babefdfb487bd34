import { createHmac, timingSafeEqual } from 'node:crypto';
import { digitsOf } from '../sip/message/grammar.ts';
import { canonicalName, header, withHeader, withHeaderFirst } from '../sip/message/headers.ts';
import type { Header, SipRequest } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { param } from '../sip/message/params.ts';
import { hostOf, parseSipUri, type SipUri } from '../sip/message/uri.ts';
import { effectivePort, isSameHost } from '../sip/message/uri-comparison.ts';
import { transportParam } from '../sip/transport/protocol.ts';
import type { ListenPoint } from '../sip/transport/transport.ts';

const defaultMaxForwards = 70;

/** Headers that belong to the request and not to whoever forwards it. */
const untouchable = new Set([
  'call-id',
  'contact',
  'content-length',
  'cseq',
  'from',
  'max-forwards',
  'to',
]);

/** Hops left, after this one; negative when there is none (RFC 3261 §16.3 step 3, §16.6 step 3). */
export function hopsAfter(request: SipRequest): number {
  const value = header(request, 'max-forwards');
  if (value === undefined) return defaultMaxForwards;
  return (digitsOf(value.trim(), 255) ?? defaultMaxForwards) - 1;
}

/** One hop less. */
export function withHop(request: SipRequest): SipRequest {
  return withHeader(request, 'Max-Forwards', String(Math.max(0, hopsAfter(request))));
}

/** The request with headers of the application behind its own. */
export function withAddedHeaders(request: SipRequest, added: readonly Header[]): SipRequest {
  const own = added.filter(({ name }) => !untouchable.has(canonicalName(name)));
  return { ...request, headers: [...request.headers, ...own] };
}

/**
 * The request for a target: the request-URI becomes the target only where it named this server; else the
 * target is merely the next hop (`drachtio-protocol.md` 9).
 */
export function withTarget(
  request: SipRequest,
  target: string,
  points: readonly ListenPoint[],
): SipRequest {
  const uri = parseSipUri(request.uri);
  return uri && points.some((point) => names(uri, point)) ? { ...request, uri: target } : request;
}

function names(uri: SipUri, point: ListenPoint): boolean {
  const hosts = [point.address, point.externalHost ?? point.address];
  return effectivePort(uri) === point.port && hosts.some((host) => isSameHost(uri.host, host));
}

/** What marks a Record-Route as ours for this call, so that nobody else can route through us. */
export function routeMark(secret: string, callId: string): string {
  const mac = createHmac('sha256', secret).update(`record-route ${callId}`, 'utf8');
  return mac.digest('base64url').slice(0, 22);
}

/** True for a Route value that `withRecordRoute` made with that mark. */
export function hasRouteMark(route: string, mark: string): boolean {
  const uri = parseNameAddr(route)?.uri;
  const given = Buffer.from(uri?.kind === 'sip' ? (param(uri.params, 'mark') ?? '') : '', 'utf8');
  const wanted = Buffer.from(mark, 'utf8');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Later requests come this way: Record-Route (§16.6 step 4), for REGISTER Path (RFC 3327). */
export function withRecordRoute(request: SipRequest, local: ListenPoint, mark: string): SipRequest {
  const scheme = request.uri.toLowerCase().startsWith('sips:') ? 'sips' : 'sip';
  const host = hostOf(local.externalHost ?? local.address);
  const transport = transportParam(local.protocol);
  const value = `<${scheme}:${host}:${local.port}${transport};lr;mark=${mark}>`;
  if (request.method !== 'REGISTER') return withHeaderFirst(request, 'Record-Route', value);
  const withPath = withHeaderFirst(request, 'Path', value);
  return { ...withPath, headers: [...withPath.headers, { name: 'Require', value: 'path' }] };
}
