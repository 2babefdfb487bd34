import { isToken, splitOutside, unquote } from './grammar.ts';

/** One `;name=value`; `value` as written (quotes and escapes kept), absent for a flag. */
export interface Param {
  readonly name: string;
  readonly value?: string;
}

export type Params = readonly Param[];

/** The value of a parameter, unquoted; an empty string for a flag. Names are case-insensitive. */
export function param(params: Params, name: string): string | undefined {
  const found = params.find((each) => each.name.toLowerCase() === name);
  return found && unquote(found.value ?? '');
}

/** Sets or appends a parameter; without a value a flag. */
export function withParam(params: Params, name: string, value?: string): Params {
  const next = value === undefined ? { name } : { name, value };
  const at = params.findIndex((each) => each.name.toLowerCase() === name.toLowerCase());
  return at < 0 ? [...params, next] : params.with(at, next);
}

/** Parses `;a=b;c` (the leading semicolon included, or an empty text). */
export function parseParams(text: string): Params | undefined {
  const rest = text.trim();
  if (rest === '') return [];
  if (!rest.startsWith(';')) return undefined;
  const params: Param[] = [];
  for (const part of splitOutside(rest.slice(1), ';') ?? [undefined]) {
    const one = part === undefined ? undefined : parseParam(part);
    if (!one) return undefined;
    params.push(one);
  }
  return params;
}

/** A generic-param (§25.1): the value is a token, a host (IPv6 brackets and colons) or quoted. */
function parseParam(text: string): Param | undefined {
  const equals = text.indexOf('=');
  if (equals < 0) return isToken(text) ? { name: text } : undefined;
  const name = text.slice(0, equals).trimEnd();
  const value = text.slice(equals + 1).trimStart();
  if (!isToken(name)) return undefined;
  return /^(?:"(?:[^"\\]|\\[\s\S])*"|[^\s"<>;,]*)$/.test(value) ? { name, value } : undefined;
}

export function formatParams(params: Params): string {
  return params
    .map(({ name, value }) => (value === undefined ? `;${name}` : `;${name}=${value}`))
    .join('');
}
