import { canonicalName, header } from './headers.ts';
import type { Header, SipResponse } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { param } from './params.ts';

/** Statuses that a malformed request is answered with. */
export type ErrorStatus = 400 | 413 | 505 | 513;

/** Why a message was refused. */
export interface ParseError {
  readonly kind: 'error';
  /** What is wrong, from a closed set of texts without anything from the message in it. */
  readonly problem: string;
  /** Absent where no response may be sent: responses, ACK, or no readable Via. */
  readonly status?: ErrorStatus;
  /** Of the request, where its first line could be read. */
  readonly method?: string;
  /** What was readable of Via, From, To, Call-ID and CSeq, in order. */
  readonly headers: readonly Header[];
}

const reasons: Record<ErrorStatus, string> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  505: 'Version Not Supported',
  513: 'Message Too Large',
};

const echoed = new Set(['via', 'from', 'to', 'call-id', 'cseq']);

/** A Via of any version, so that even a request of another SIP, or with bad parameters, is answered. */
const viaPattern = /^SIP\s*\/\s*\d+\.\d+\s*\/\s*[^\s/]+\s+\S/i;

/** What is known when a message is given up. */
export interface Known {
  readonly headers: readonly Header[];
  /** Absent for responses and unreadable first lines. */
  readonly method?: string;
}

export function parseError(problem: string, status: ErrorStatus, known: Known): ParseError {
  const headers = known.headers.filter((each) => echoed.has(canonicalName(each.name)));
  const { method } = known;
  const via = header({ headers }, 'via') ?? '';
  // §8.1.1.3 and §17.1.1.3: a response is never answered, nor is an ACK.
  const isAnswerable = method !== undefined && method !== 'ACK' && viaPattern.test(via);
  return {
    kind: 'error',
    problem,
    ...(isAnswerable && { status }),
    ...(method !== undefined && { method }),
    headers,
  };
}

/**
 * The response for a refused request, the problem in its reason phrase; undefined where none may go out.
 * `toTag` is set where the To has none (§8.2.6.2).
 */
export function errorResponse(error: ParseError, toTag: string): SipResponse | undefined {
  if (error.status === undefined) return undefined;
  return {
    kind: 'response',
    status: error.status,
    reason: `${reasons[error.status]} (${error.problem})`,
    headers: error.headers.map((each) => withToTag(each, toTag)),
    body: Buffer.alloc(0),
  };
}

function withToTag(line: Header, tag: string): Header {
  if (canonicalName(line.name) !== 'to') return line;
  const value = parseNameAddr(line.value);
  if (!value || param(value.params, 'tag') !== undefined) return line;
  return { ...line, value: `${line.value};tag=${tag}` };
}
