import { createHash } from 'node:crypto';
import { canonicalName, header, withHeader } from '../sip/message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../sip/message/message.ts';

const reasons = {
  408: 'Request Timeout',
  420: 'Bad Extension',
  481: 'Call/Transaction Does Not Exist',
  483: 'Too Many Hops',
} as const;

const copied = new Set(['via', 'from', 'to', 'call-id', 'cseq']);

/**
 * A response that the proxy makes itself (RFC 3261 §8.2.6). Its To tag is a function of the request (§8.2.7), for
 * a proxy keeps no dialog.
 */
export function proxyResponse(
  request: SipRequest,
  status: keyof typeof reasons,
  extra: readonly Header[] = [],
): SipResponse {
  const headers = request.headers.filter(({ name }) => copied.has(canonicalName(name)));
  const response: SipResponse = {
    kind: 'response',
    status,
    reason: reasons[status],
    headers: [...headers, ...extra],
    body: Buffer.alloc(0),
  };
  const to = header(request, 'to') ?? '';
  if (/;\s*tag\s*=/i.test(to)) return response;
  return withHeader(response, 'To', `${to};tag=${tagFor(request)}`);
}

function tagFor(request: SipRequest): string {
  const names = `${header(request, 'via')} ${header(request, 'call-id')}`;
  return createHash('sha256').update(names, 'utf8').digest('hex').slice(0, 16);
}
