import { isUtf8 } from 'node:buffer';
import { isToken, trimSpace } from './grammar.ts';
import { canonicalName } from './headers.ts';
import type { MessageLimits } from './limits.ts';
import type { Header } from './message.ts';
import { type ErrorStatus, type ParseError, parseError } from './parse-error.ts';

/** Start line and headers of a message, before their meaning is looked at. */
export interface Head {
  readonly start: string;
  readonly headers: readonly Header[];
}

/** Index behind the empty line that ends the head, or -1; searches from `from` on. */
export function endOfHead(bytes: Buffer, from = 0): number {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return -1;
}

/**
 * Splits a head into lines (CRLF, or LF alone), unfolds them and separates names from values. Text
 * is UTF-8; a head that is not valid UTF-8 is read as Latin-1, which old equipment sends.
 */
export function parseHead(bytes: Buffer, limits: MessageLimits): Head | ParseError {
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  const [start = '', ...lines] = unfold(text.replace(/(?:\r?\n)+$/, '').split(/\r?\n/));
  const { headers, problem, status = 400 } = parseLines(lines, limits);
  const failure = problem ?? problemOfBytes(text);
  if (failure === undefined) return { start, headers };
  const method = /^(\S+) \S+ SIP\/\d+\.\d+$/i.exec(start)?.[1];
  return parseError(failure, status, { headers, ...(method !== undefined && { method }) });
}

/** §7.3.1: a line that starts with white space goes on the line before, as a single space. */
function unfold(lines: readonly string[]): string[] {
  const whole: string[][] = [];
  for (const line of lines) {
    const last = whole.length > 1 ? whole.at(-1) : undefined;
    if (last && /^[ \t]/.test(line)) last.push(trimSpace(line));
    else whole.push([line]);
  }
  return whole.map(([first = '', ...more]) =>
    more.length === 0 ? first : [trimSpace(first), ...more].join(' '),
  );
}

function parseLines(
  lines: readonly string[],
  limits: MessageLimits,
): { headers: Header[]; problem?: string; status?: ErrorStatus } {
  const headers: Header[] = [];
  let problem: string | undefined;
  for (const line of lines) {
    if (headers.length >= limits.headerCount) {
      return { headers, problem: 'too many headers', status: 513 };
    }
    if (line.length > limits.lineBytes) {
      return { headers, problem: 'header too long', status: 513 };
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (isToken(name)) headers.push({ name, value: trimSpace(line.slice(colon + 1)) });
    else problem ??= 'malformed header line';
  }
  return { headers, ...(problem !== undefined && { problem }) };
}

/** A lone CR, which others may take for a line end; NUL, which is legal as a quoted pair only. */
function problemOfBytes(text: string): string | undefined {
  if (/\r(?!\n)/.test(text)) return 'carriage return inside a line';
  // oxlint-disable-next-line no-control-regex -- The character this is about.
  return /(?:^|[^\\])(?:\\\\)*\0/.test(text) ? 'NUL in the head' : undefined;
}

/** Content-Length as the head says it: absent, a number, or the reason why it cannot be trusted. */
export function contentLengthOf(
  headers: readonly Header[],
): { bytes?: number } | { problem: string } {
  const values = headers.filter((each) => canonicalName(each.name) === 'content-length');
  const [first] = values;
  if (!first) return {};
  if (values.length > 1) return { problem: 'more than one Content-Length' };
  if (!/^\d{1,10}$/.test(first.value)) return { problem: 'malformed Content-Length' };
  return { bytes: Number(first.value) };
}
