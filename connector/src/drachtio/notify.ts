import { serialize } from '../sip/message/serialize.ts';
import type { InboundRequest, InboundResponse } from '../sip/user-agent.ts';
import { encodeMessageFrame } from './frame.ts';
import { formatMeta } from './meta.ts';

/** Stands in the transaction's place for requests that the server made itself. */
const unsolicited = 'unsolicited';

/** What an application is told of: a message from the network, or a request the server made itself. */
export type Notice =
  | { readonly kind: 'request'; readonly request: InboundRequest }
  | { readonly kind: 'response'; readonly response: InboundResponse }
  | { readonly kind: 'server-request'; readonly request: Omit<InboundRequest, 'transaction'> };

/**
 * The frame of a SIP message for an application. Fields: id, `sip`, six of meta, transaction, dialog,
 * on new requests the local address and port, and always an empty last one.
 */
export function encodeNotice(id: string, notice: Notice): Buffer {
  const { message, trace, dialog } = notice.kind === 'response' ? notice.response : notice.request;
  const local = notice.kind === 'request' ? notice.request.local : undefined;
  const receivedOn = local ? `${local.address}|${local.port}|` : '';
  const line = `${id}|sip|${formatMeta(trace)}|${transactionOf(notice)}|${dialog}|${receivedOn}`;
  return encodeMessageFrame(line, serialize(message));
}

function transactionOf(notice: Notice): string {
  if (notice.kind === 'request') return notice.request.transaction;
  return notice.kind === 'response' ? notice.response.transaction : unsolicited;
}
