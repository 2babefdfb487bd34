import { isToken } from '../sip/message/grammar.ts';
import { header } from '../sip/message/headers.ts';
import type { Header } from '../sip/message/message.ts';
import { spellHeader } from './header-spelling.ts';

/** SIP text of an application: what stands in front of the headers, the headers and the body. */
export interface SipText {
  readonly startLine: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

const headEnd = Buffer.from('\r\n\r\n');

/** Headers that only the server writes (`drachtio-protocol.md` 4.8). */
const serverOwned = new Set(['via', 'route', 'rseq', 'record-route', 'content-length']);

/**
 * Reads SIP text as applications write it: no folding, Content-Length without meaning, lines that are
 * no header passed over. An SDP body without Content-Type gets one.
 */
export function parseSipText(bytes: Buffer): SipText {
  const end = bytes.indexOf(headEnd);
  const head = bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  const body = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + headEnd.length);
  const [startLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map(parseHeaderLine).filter((each) => each !== undefined);
  return { startLine: startLine.trim(), headers: withContentType(headers, body), body };
}

/** True when there is a body and nothing says of what kind. */
export function lacksContentType(text: SipText): boolean {
  return text.body.length > 0 && header(text, 'content-type') === undefined;
}

/** `INVITE sip:a@b SIP/2.0`. */
export function parseRequestLine(line: string): { method: string; uri: string } | undefined {
  const [, method = '', uri = ''] = /^(\S+) +(\S+) +SIP\/2\.0$/i.exec(line) ?? [];
  return isToken(method) ? { method, uri } : undefined;
}

/** `SIP/2.0 200 OK`. */
export function parseStatusLine(line: string): { status: number; reason: string } | undefined {
  const [, status, reason = ''] = /^SIP\/2\.0 +([1-6]\d\d)(?: +(.*))?$/i.exec(line) ?? [];
  return status === undefined ? undefined : { status: Number(status), reason };
}

function parseHeaderLine(line: string): Header | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim();
  if (!isToken(name)) return undefined;
  const spelled = spellHeader(name);
  if (serverOwned.has(spelled.toLowerCase())) return undefined;
  return { name: spelled, value: line.slice(colon + 1).trim() };
}

function withContentType(headers: readonly Header[], body: Buffer): readonly Header[] {
  const isSdp = body.subarray(0, 3).toString('latin1') === 'v=0';
  if (!isSdp || header({ headers }, 'content-type') !== undefined) return headers;
  return [...headers, { name: 'Content-Type', value: 'application/sdp' }];
}
