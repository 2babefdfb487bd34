import { digitsOf, isToken, quote } from './grammar.ts';
import { param, parseParams } from './params.ts';

/** One Reason value (RFC 3326): `Q.850;cause=16;text="Normal"`. */
export interface Reason {
  readonly protocol: string;
  readonly cause?: number;
  readonly text?: string;
}

export function parseReason(value: string): Reason | undefined {
  const semicolon = value.indexOf(';');
  const end = semicolon < 0 ? value.length : semicolon;
  const protocol = value.slice(0, end).trim();
  const params = parseParams(value.slice(end));
  if (!isToken(protocol) || !params) return undefined;
  const cause = digitsOf(param(params, 'cause') ?? '', 999);
  const text = param(params, 'text');
  return { protocol, ...(cause !== undefined && { cause }), ...(text !== undefined && { text }) };
}

export function formatReason(value: Reason): string {
  const cause = value.cause === undefined ? '' : `;cause=${value.cause}`;
  const text = value.text === undefined ? '' : `;text=${quote(value.text)}`;
  return `${value.protocol}${cause}${text}`;
}
