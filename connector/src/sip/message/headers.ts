import { splitOutside } from './grammar.ts';
import type { Header } from './message.ts';

/** Anything with header fields: a message, a draft, a parse error. */
export interface HasHeaders {
  readonly headers: readonly Header[];
}

/** Compact forms (RFC 3261 §7.3.3 and the IANA registry). */
const compactForms: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** Headers whose grammar is a comma-separated list, so that one line may stand for several (§7.3.1). */
const lists: ReadonlySet<string> = new Set([
  'accept',
  'accept-contact',
  'accept-encoding',
  'accept-language',
  'alert-info',
  'allow',
  'allow-events',
  'call-info',
  'contact',
  'content-encoding',
  'content-language',
  'diversion',
  'error-info',
  'history-info',
  'in-reply-to',
  'p-asserted-identity',
  'p-associated-uri',
  'p-early-media',
  'p-preferred-identity',
  'path',
  'proxy-require',
  'reason',
  'record-route',
  'recv-info',
  'reject-contact',
  'require',
  'route',
  'security-client',
  'security-server',
  'security-verify',
  'service-route',
  'supported',
  'unsupported',
  'via',
  'warning',
]);

/** The long, lower-case name of a header. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return compactForms.get(lower) ?? lower;
}

/** The first value of a header as it stands in its line, or undefined. Any spelling of the name. */
export function header(message: HasHeaders, name: string): string | undefined {
  const wanted = canonicalName(name);
  return message.headers.find((each) => canonicalName(each.name) === wanted)?.value;
}

/**
 * All values of a header in order; comma lists are split where the grammar has one, empty elements
 * left out. A line with an open quote stays whole.
 */
export function headers(message: HasHeaders, name: string): string[] {
  const wanted = canonicalName(name);
  const values = message.headers
    .filter((each) => canonicalName(each.name) === wanted)
    .map((each) => each.value);
  if (!lists.has(wanted)) return values;
  return values.flatMap((value) => (splitOutside(value, ',') ?? [value]).filter(Boolean));
}

/** True when a list header (Supported, Require, Allow …) holds the token. */
export function hasToken(message: HasHeaders, name: string, token: string): boolean {
  const wanted = token.toLowerCase();
  return headers(message, name).some((value) => value.toLowerCase() === wanted);
}

/** Replaces all lines of a header by the given values, where the first stood (else at the end). */
export function withHeader<M extends HasHeaders>(
  message: M,
  name: string,
  value: string | readonly string[],
): M {
  const wanted = canonicalName(name);
  const lines = (typeof value === 'string' ? [value] : value).map((each) => ({
    name,
    value: each,
  }));
  const at = message.headers.findIndex((each) => canonicalName(each.name) === wanted);
  const others = message.headers.filter((each) => canonicalName(each.name) !== wanted);
  // No line of this header stands before `at`, so the index holds in `others` as well.
  return { ...message, headers: others.toSpliced(at < 0 ? others.length : at, 0, ...lines) };
}

/** Adds a line in front of those of the same name (else at the start): Via, Route, Record-Route. */
export function withHeaderFirst<M extends HasHeaders>(message: M, name: string, value: string): M {
  const wanted = canonicalName(name);
  const at = message.headers.findIndex((each) => canonicalName(each.name) === wanted);
  return { ...message, headers: message.headers.toSpliced(Math.max(at, 0), 0, { name, value }) };
}

/** Adds a line at the end. */
export function withHeaderLast<M extends HasHeaders>(message: M, name: string, value: string): M {
  return { ...message, headers: [...message.headers, { name, value }] };
}

export function withoutHeader<M extends HasHeaders>(message: M, name: string): M {
  const wanted = canonicalName(name);
  return {
    ...message,
    headers: message.headers.filter((each) => canonicalName(each.name) !== wanted),
  };
}

/** Replaces the topmost value of a list header, which may share its line with others; undefined drops it. */
export function withTopValue<M extends HasHeaders>(
  message: M,
  name: string,
  value: string | undefined,
): M {
  const wanted = canonicalName(name);
  const at = message.headers.findIndex((each) => canonicalName(each.name) === wanted);
  const line = message.headers[at];
  if (!line) return value === undefined ? message : withHeaderFirst(message, name, value);
  const others = (splitOutside(line.value, ',') ?? [line.value]).filter(Boolean).slice(1);
  const values = value === undefined ? others : [value, ...others];
  const lines = values.length === 0 ? [] : [{ name: line.name, value: values.join(', ') }];
  return { ...message, headers: message.headers.toSpliced(at, 1, ...lines) };
}
