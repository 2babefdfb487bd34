import { type Params, param } from './params.ts';
import { addressOf, type SipUri, type TelUri, type Uri, unescapeUri } from './uri.ts';

/** Parameters that make URIs differ even when only one of them has it (§19.1.4). */
const decisive = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** URI equality: RFC 3261 §19.1.4 for sip and sips, RFC 3966 §4 for tel, else the text. */
export function isSameUri(a: Uri, b: Uri): boolean {
  if (a.kind === 'sip' && b.kind === 'sip') return isSameSip(a, b);
  if (a.kind === 'tel' && b.kind === 'tel') return isSameTel(a, b);
  return a.kind === 'other' && b.kind === 'other' && a.text === b.text;
}

function isSameSip(a: SipUri, b: SipUri): boolean {
  return (
    a.scheme === b.scheme &&
    plain(a.user) === plain(b.user) &&
    plain(a.password) === plain(b.password) &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    hasSameParams(a.params, b.params) &&
    hasSameHeaders(a.headers, b.headers)
  );
}

function plain(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unescapeUri(text);
}

function hasSameParams(a: Params, b: Params): boolean {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  for (const [name, value] of left) {
    if (right.has(name) && right.get(name) !== value) return false;
  }
  return decisive.every((name) => left.has(name) === right.has(name));
}

function valuesOf(params: Params): Map<string, string> {
  return new Map(params.map((each) => [plainLower(each.name), plainLower(each.value ?? '')]));
}

function hasSameHeaders(a: Params, b: Params): boolean {
  return sortedText(a) === sortedText(b);
}

function sortedText(headers: Params): string {
  return headers
    .map((each) => `${plainLower(each.name)}=${unescapeUri(each.value ?? '')}`)
    .toSorted()
    .join('&');
}

function plainLower(text: string): string {
  return unescapeUri(text).toLowerCase();
}

function isSameTel(a: TelUri, b: TelUri): boolean {
  const names = new Set([...a.params, ...b.params].map((each) => each.name.toLowerCase()));
  return (
    digitsOfTel(a) === digitsOfTel(b) &&
    [...names].every(
      (name) => param(a.params, name)?.toLowerCase() === param(b.params, name)?.toLowerCase(),
    )
  );
}

/** RFC 3966 §5.1.1: visual separators mean nothing. */
function digitsOfTel(uri: TelUri): string {
  return uri.number.replace(/[().-]/g, '').toLowerCase();
}

/** The port a URI means, where it names none: 5061 for TLS, else 5060 (§19.1.2). */
export function effectivePort(uri: SipUri): number {
  const isTls = uri.scheme === 'sips' || param(uri.params, 'transport')?.toLowerCase() === 'tls';
  return uri.port ?? (isTls ? 5061 : 5060);
}

/** True when a host names the given address or host name, brackets and case aside. */
export function isSameHost(a: string, b: string): boolean {
  return addressOf(a).toLowerCase() === addressOf(b).toLowerCase();
}
