import { endOfQuoted, quote, unquote } from './grammar.ts';
import { formatParams, type Params, param, parseParams, withParam } from './params.ts';
import { formatUri, parseUri, type Uri } from './uri.ts';

/** The value of From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity … (§20.10). */
export interface NameAddr {
  /** Unquoted display name. */
  readonly displayName?: string;
  readonly uri: Uri;
  /** Header parameters (tag, expires, q …), not those of the URI. */
  readonly params: Params;
}

/** Parses one name-addr or addr-spec with its parameters; undefined when malformed. */
export function parseNameAddr(text: string): NameAddr | undefined {
  const value = text.trim();
  const name = displayNameOf(value);
  if (!name) return undefined;
  const rest = value.slice(name.length).trimStart();
  return rest.startsWith('<')
    ? parseBracketed(rest, name.displayName)
    : name.length === 0
      ? parseBare(rest)
      : undefined;
}

/** The display name in front of `<` and how long its text is; length 0 when there is none. */
function displayNameOf(value: string): { displayName?: string; length: number } | undefined {
  if (value.startsWith('"')) {
    const end = endOfQuoted(value);
    return end < 0 ? undefined : { displayName: unquote(value.slice(0, end)), length: end };
  }
  const bracket = value.indexOf('<');
  if (bracket <= 0) return { length: 0 };
  const words = value.slice(0, bracket).trim().split(/\s+/);
  if (!words.every(isDisplayWord)) return bareOrNothing(value, bracket);
  return { displayName: words.join(' '), length: bracket };
}

/** A bracket inside a parameter of a bare addr-spec does not make the text before it a name. */
function bareOrNothing(value: string, bracket: number): { length: number } | undefined {
  return value.slice(0, bracket).includes(':') ? { length: 0 } : undefined;
}

/**
 * Unquoted display names hold tokens only. Other letters and signs are let pass, for many send them,
 * but nothing that separates or that could be part of a URI.
 */
function isDisplayWord(word: string): boolean {
  return /^[^"<>,;:@\\\p{Cc}]+$/u.test(word);
}

function parseBracketed(rest: string, displayName: string | undefined): NameAddr | undefined {
  const end = rest.indexOf('>');
  if (end < 0) return undefined;
  const uri = parseUri(rest.slice(1, end));
  const params = parseParams(rest.slice(end + 1));
  if (!uri || !params) return undefined;
  return { ...(displayName && { displayName }), uri, params };
}

/** §20: without brackets every parameter is the header's, and `,` or `?` may not stand in the URI. */
function parseBare(rest: string): NameAddr | undefined {
  const semicolon = rest.indexOf(';');
  const end = semicolon < 0 ? rest.length : semicolon;
  const text = rest.slice(0, end).trim();
  const uri = /[?,]/.test(text) ? undefined : parseUri(text);
  const params = parseParams(rest.slice(end));
  return uri && params ? { uri, params } : undefined;
}

/** Always with angle brackets; the display name quoted. */
export function formatNameAddr(value: NameAddr): string {
  const name = value.displayName === undefined ? '' : `${quote(value.displayName)} `;
  return `${name}<${formatUri(value.uri)}>${formatParams(value.params)}`;
}

/** The tag of a From or To value, read without judging the rest of it. */
export function tagOf(text: string): string | undefined {
  const parsed = parseNameAddr(text);
  return parsed && param(parsed.params, 'tag');
}

export function withTag(value: NameAddr, tag: string): NameAddr {
  return { ...value, params: withParam(value.params, 'tag', tag) };
}
