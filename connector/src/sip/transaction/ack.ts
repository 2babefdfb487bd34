import { parseCSeq } from '../message/cseq.ts';
import { header, headers } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';

/** The ACK that a client transaction sends for a 3xx–6xx (§17.1.1.3): the INVITE's Via, URI and Route. */
export function ackOfFailure(invite: SipRequest, response: SipResponse): SipRequest {
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [
      ...sameHop(invite),
      { name: 'From', value: header(invite, 'from') ?? '' },
      { name: 'To', value: header(response, 'to') ?? header(invite, 'to') ?? '' },
      { name: 'Call-ID', value: header(invite, 'call-id') ?? '' },
      { name: 'CSeq', value: `${sequenceOf(invite)} ACK` },
    ],
    body: Buffer.alloc(0),
  };
}

/** A CANCEL for a request in progress (§9.1), with headers of the application behind its own. */
export function cancelOf(request: SipRequest, extra: readonly Header[]): SipRequest {
  return {
    kind: 'request',
    method: 'CANCEL',
    uri: request.uri,
    headers: [
      ...sameHop(request),
      { name: 'From', value: header(request, 'from') ?? '' },
      { name: 'To', value: header(request, 'to') ?? '' },
      { name: 'Call-ID', value: header(request, 'call-id') ?? '' },
      { name: 'CSeq', value: `${sequenceOf(request)} CANCEL` },
      ...extra,
    ],
    body: Buffer.alloc(0),
  };
}

/** The topmost Via, Max-Forwards, and every Route. */
function sameHop(request: SipRequest): Header[] {
  return [
    { name: 'Via', value: headers(request, 'via')[0] ?? '' },
    ...headers(request, 'route').map((value) => ({ name: 'Route', value })),
    { name: 'Max-Forwards', value: '70' },
  ];
}

function sequenceOf(request: SipRequest): number {
  return parseCSeq(header(request, 'cseq') ?? '')?.sequence ?? 0;
}
