import { isIPv6 } from 'node:net';
import { digitsOf } from './grammar.ts';
import { formatParams, type Param, type Params } from './params.ts';

/** sip: and sips: (RFC 3261 §19.1). Parts are kept as written, escapes included. */
export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  /** Everything before the colon or at sign, telephone-subscriber parameters included. */
  readonly user?: string;
  readonly password?: string;
  /** IPv6 addresses keep their brackets; `addressOf` takes them off. */
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
  readonly headers: Params;
}

/** tel: (RFC 3966). `number` keeps its visual separators. */
export interface TelUri {
  readonly kind: 'tel';
  readonly number: string;
  readonly params: Params;
}

/** A URI of a scheme that is not understood, as written. */
interface OtherUri {
  readonly kind: 'other';
  readonly scheme: string;
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

/** Parses an absolute URI; undefined when it is malformed. */
export function parseUri(text: string): Uri | undefined {
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):([^\s<>"\p{Cc}]+)$/u.exec(text);
  const scheme = found?.[1]?.toLowerCase();
  const rest = found?.[2];
  if (scheme === undefined || rest === undefined) return undefined;
  if (scheme === 'sip' || scheme === 'sips') return parseSip(scheme, rest);
  return scheme === 'tel' ? parseTel(rest) : { kind: 'other', scheme, text };
}

/** Parses a URI that has to be sip: or sips:. */
export function parseSipUri(text: string): SipUri | undefined {
  const uri = parseUri(text);
  return uri?.kind === 'sip' ? uri : undefined;
}

function parseSip(scheme: 'sip' | 'sips', rest: string): SipUri | undefined {
  const at = rest.indexOf('@');
  const user = at < 0 ? {} : parseUserInfo(rest.slice(0, at));
  const [, hostPort = '', paramText = '', headerText] =
    /^([^;?]+)((?:;[^;?]*)*)(?:\?(.+))?$/.exec(rest.slice(at + 1)) ?? [];
  const where = parseHostPort(hostPort);
  const params = parsePairs(paramText.slice(1), ';');
  const headers = parsePairs(headerText ?? '', '&');
  if (!user || !where || !params || !headers) return undefined;
  if (headers.some((header) => header.value === undefined)) return undefined;
  return { kind: 'sip', scheme, ...user, ...where, params, headers };
}

function parseUserInfo(text: string): Pick<SipUri, 'user' | 'password'> | undefined {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  if (user === '') return undefined;
  return colon < 0 ? { user } : { user, password: text.slice(colon + 1) };
}

function parseTel(rest: string): TelUri | undefined {
  const [number = '', ...more] = rest.split(';');
  if (!/^\+?[0-9A-Fa-f*#().-]+$/.test(number)) return undefined;
  const params = parsePairs(more.join(';'), ';');
  return params && { kind: 'tel', number, params };
}

/** Parses `host[:port]`, as in URIs and Via. */
export function parseHostPort(text: string): { host: string; port?: number } | undefined {
  const found = /^(\[[^\]]+\]|[A-Za-z0-9_.-]+)(?:\s*:\s*(\d+))?$/.exec(text);
  const host = found?.[1];
  if (host === undefined) return undefined;
  if (host.startsWith('[') && !isIPv6(host.slice(1, -1))) return undefined;
  if (found?.[2] === undefined) return { host };
  const port = digitsOf(found[2], 65535);
  return port === undefined ? undefined : { host, port };
}

function parsePairs(text: string, separator: ';' | '&'): Params | undefined {
  if (text === '') return [];
  const pairs: Param[] = [];
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (name === '') return undefined;
    pairs.push(equals < 0 ? { name } : { name, value: part.slice(equals + 1) });
  }
  return pairs;
}

export function formatUri(uri: Uri): string {
  if (uri.kind === 'other') return uri.text;
  if (uri.kind === 'tel') return `tel:${uri.number}${formatParams(uri.params)}`;
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const user = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers.map(({ name, value = '' }) => `${name}=${value}`).join('&');
  const question = headers === '' ? '' : `?${headers}`;
  return `${uri.scheme}:${user}${uri.host}${port}${formatParams(uri.params)}${question}`;
}

/** An IP address or host name without the brackets of an IPv6 reference. */
export function addressOf(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** A host for use in a URI or Via: IPv6 addresses get their brackets. */
export function hostOf(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

/** Resolves %HH escapes (UTF-8); an escape that is not well-formed stays as it is. */
export function unescapeUri(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** Escapes what may not stand in the user part of a SIP URI. */
export function escapeUser(text: string): string {
  return text.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu, (character) =>
    [...Buffer.from(character, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
