import { isToken } from './grammar.ts';
import { contentLengthOf, endOfHead, type Head, parseHead } from './head.ts';
import { defaultLimits, type MessageLimits } from './limits.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import { type ErrorStatus, type ParseError, parseError } from './parse-error.ts';
import { parseUri } from './uri.ts';
import { problemOf } from './validate.ts';

/**
 * Parses one message that fills a datagram: without Content-Length the body is all that follows, and
 * bytes behind the body are dropped (§18.3). Returns the reason instead of throwing.
 */
export function parseMessage(bytes: Buffer, limits = defaultLimits): SipMessage | ParseError {
  const start = startOfMessage(bytes);
  const end = endOfHead(bytes, start);
  if (end < 0) return unfinished(bytes.subarray(start), limits);
  if (end - start > limits.headBytes) return tooLarge(bytes.subarray(start), limits);
  const head = parseHead(bytes.subarray(start, end), limits);
  return 'kind' in head ? head : withBody(head, bytes.subarray(end), limits);
}

/** §7.5: empty lines in front of the start line are passed over. */
function startOfMessage(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d || bytes[at] === 0x0a) at++;
  return at;
}

function unfinished(bytes: Buffer, limits: MessageLimits): ParseError {
  if (bytes.length > limits.headBytes) return tooLarge(bytes, limits);
  const head = parseHead(bytes, limits);
  return 'kind' in head ? head : errorOf(head, 'no end of the headers', 400);
}

/** The error for a head beyond its limit, as far as its first part can be read. */
export function tooLarge(bytes: Buffer, limits: MessageLimits): ParseError {
  const part = bytes.subarray(0, limits.headBytes);
  const head = parseHead(part.subarray(0, part.lastIndexOf(0x0a) + 1), limits);
  if ('kind' in head) return head.status === undefined ? head : { ...head, status: 513 };
  return errorOf(head, 'head too large', 513);
}

function withBody(head: Head, rest: Buffer, limits: MessageLimits): SipMessage | ParseError {
  const length = contentLengthOf(head.headers);
  if ('problem' in length) return errorOf(head, length.problem, 400);
  const bytes = length.bytes ?? rest.length;
  if (bytes > limits.bodyBytes) return errorOf(head, 'body too large', 413);
  if (bytes > rest.length) return errorOf(head, 'body shorter than Content-Length', 400);
  return messageOf(head, rest.subarray(0, bytes));
}

/** Makes the message of a head and its body. The body is copied, so that `bytes` may be reused. */
export function messageOf(head: Head, body: Buffer): SipMessage | ParseError {
  const line = parseStart(head.start);
  if ('problem' in line) return errorOf(head, line.problem, line.status);
  const message: SipMessage = { ...line, headers: head.headers, body: Buffer.from(body) };
  const problem = problemOf(message);
  return problem === undefined ? message : errorOf(head, problem, 400);
}

type Start =
  | Pick<SipRequest, 'kind' | 'method' | 'uri'>
  | Pick<SipResponse, 'kind' | 'status' | 'reason'>;

function parseStart(line: string): Start | { problem: string; status: ErrorStatus } {
  if (/^SIP\/\d/i.test(line)) return parseStatusLine(line);
  const [, method = '', uri = '', version] = /^(\S+) (\S+) SIP\/(\d+\.\d+)$/i.exec(line) ?? [];
  if (version === undefined) return { problem: 'malformed first line', status: 400 };
  if (version !== '2.0') return { problem: 'unknown SIP version', status: 505 };
  if (!isToken(method)) return { problem: 'malformed method', status: 400 };
  const parsed = parseUri(uri);
  // §19.1.1: a Request-URI holds no headers.
  if (!parsed || (parsed.kind === 'sip' && parsed.headers.length > 0)) {
    return { problem: 'malformed Request-URI', status: 400 };
  }
  return { kind: 'request', method, uri };
}

/** §7.2: three digits, then a reason that may be empty; its space may then be missing, too. */
function parseStatusLine(line: string): Start | { problem: string; status: ErrorStatus } {
  const [, code, reason = ''] = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line) ?? [];
  if (code === undefined) return { problem: 'malformed status line', status: 400 };
  return { kind: 'response', status: Number(code), reason };
}

/** The error for a message whose head could be split. */
export function errorOf(head: Head, problem: string, status: ErrorStatus): ParseError {
  const isResponse = /^SIP\/\d/i.test(head.start);
  const method = isResponse ? undefined : /^(\S+)\s/.exec(head.start)?.[1];
  const known = { headers: head.headers, ...(method !== undefined && { method }) };
  return parseError(problem, status, known);
}
