import { isToken, quote, splitOutside, unquote } from '../message/grammar.ts';

/** A challenge or credentials: `Digest realm="a", nonce="b"`. Names are lower case, values unquoted. */
export interface AuthValue {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

/** Parses one value of an authentication header; undefined when malformed or a parameter is repeated. */
export function parseAuth(text: string): AuthValue | undefined {
  const [, scheme = '', rest = ''] = /^(\S+)[ \t]+(\S[\s\S]*)$/.exec(text.trim()) ?? [];
  if (!isToken(scheme)) return undefined;
  const params = new Map<string, string>();
  for (const part of splitOutside(rest, ',') ?? ['']) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const value = part.slice(equals + 1).trim();
    if (!isToken(name) || params.has(name) || !isValue(value)) return undefined;
    params.set(name, unquote(value));
  }
  return { scheme, params };
}

function isValue(text: string): boolean {
  return /^(?:"(?:[^"\\]|\\[\s\S])*"|[^\s",]*)$/.test(text);
}

/** Formats parameters in their order; those in `bare` without quotes. */
export function formatAuth(params: Iterable<readonly [string, string]>, bare: Set<string>): string {
  const parts = [...params].map(
    ([name, value]) => `${name}=${bare.has(name) ? value : quote(value)}`,
  );
  return `Digest ${parts.join(', ')}`;
}
