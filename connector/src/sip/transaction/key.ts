import { parseCSeq } from '../message/cseq.ts';
import { header, headers } from '../message/headers.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { branchOf, hasTransactionBranch, parseVia, type Via } from '../message/via.ts';

/** Topmost Via of a message; a message that was parsed has one. */
export function topVia(message: SipMessage): Via | undefined {
  const line = header(message, 'via') ?? '';
  // A line may hold several values; most hold one.
  return parseVia(line) ?? parseVia(headers(message, 'via')[0] ?? '');
}

/** §17.1.3: a response belongs to the request with its branch and CSeq method. */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/** The key of the client transaction that a response is for. */
export function clientKeyOf(message: SipMessage): string | undefined {
  const via = topVia(message);
  const branch = via && branchOf(via);
  const method = parseCSeq(header(message, 'cseq') ?? '')?.method;
  return branch === undefined || method === undefined ? undefined : clientKey(branch, method);
}

/**
 * §17.2.3: branch, sent-by and method; an ACK or CANCEL finds its INVITE when `method` says so.
 * Without the cookie of RFC 3261 the fields that RFC 2543 compared.
 */
export function serverKey(request: SipRequest, method = request.method): string | undefined {
  const via = topVia(request);
  if (!via) return undefined;
  if (hasTransactionBranch(via)) {
    return `${branchOf(via)} ${via.host.toLowerCase()}:${via.port ?? ''} ${method}`;
  }
  const sequence = parseCSeq(header(request, 'cseq') ?? '')?.sequence;
  const from = tagOf(header(request, 'from') ?? '');
  // The To tag is left out: an ACK carries one where its INVITE has none.
  return [
    request.uri,
    from,
    header(request, 'call-id'),
    sequence,
    header(request, 'via'),
    method,
  ].join(' ');
}

/** §8.2.2.2: equal for copies of one request that took different ways; undefined inside dialogs. */
export function mergeKey(request: SipRequest): string | undefined {
  if (tagOf(header(request, 'to') ?? '') !== undefined) return undefined;
  const from = tagOf(header(request, 'from') ?? '') ?? '';
  return `${header(request, 'call-id')} ${from} ${header(request, 'cseq')}`;
}
