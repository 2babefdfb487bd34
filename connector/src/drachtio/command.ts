import type { Header } from '../sip/message/message.ts';
import type { DialogId, RequestDraft, ResponseDraft, TransactionId } from '../sip/user-agent.ts';
import {
  lacksContentType,
  parseRequestLine,
  parseSipText,
  parseStatusLine,
  type SipText,
} from './draft.ts';
import { type ProxyOrder, parseProxyCommand } from './proxy-command.ts';

/** What an application asks for. */
export type Order =
  | { readonly kind: 'authenticate'; readonly secret: string; readonly tags: readonly string[] }
  | { readonly kind: 'ping' }
  | { readonly kind: 'route'; readonly verb: string }
  | { readonly kind: 'remove-route'; readonly verb: string }
  | { readonly kind: 'respond'; readonly transaction: TransactionId; readonly draft: ResponseDraft }
  | { readonly kind: 'request'; readonly route?: string; readonly draft: RequestDraft }
  | { readonly kind: 'request-in-dialog'; readonly dialog: DialogId; readonly draft: RequestDraft }
  | {
      readonly kind: 'cancel';
      readonly transaction: TransactionId;
      readonly headers: readonly Header[];
    }
  | ProxyOrder
  /** `no` closes the connection, `nok` does not. */
  | { readonly kind: 'refused'; readonly verdict: 'no' | 'nok'; readonly reason: string };

/** An order under the id that its reply names. */
export interface Command {
  readonly id: string;
  readonly order: Order;
}

const lineEnd = Buffer.from('\r\n');

/** Reads the payload of one frame. What cannot be carried out comes as a `refused` order. */
export function parseCommand(payload: Buffer): Command {
  const end = payload.indexOf(lineEnd);
  const line = payload.toString('utf8', 0, end < 0 ? payload.length : end);
  const text = end < 0 ? Buffer.alloc(0) : payload.subarray(end + lineEnd.length);
  const [id = '', word, ...fields] = line.split('|');
  if (word === undefined) return { id, order: no('Invalid message format') };
  return { id, order: parseOrder(word, fields, text) };
}

function parseOrder(word: string, fields: readonly string[], text: Buffer): Order {
  const [first = '', second = ''] = fields;
  switch (word) {
    case 'authenticate':
      return { kind: 'authenticate', secret: first, tags: second.split(',').filter(Boolean) };
    case 'ping':
      return { kind: 'ping' };
    case 'route':
      return { kind: 'route', verb: first };
    case 'remove_route':
      return { kind: 'remove-route', verb: first };
    case 'sip':
      return parseSip(fields, text);
    case 'proxy':
      return (
        parseProxyCommand(fields, text) ??
        no('Invalid proxy request: not enough information provided')
      );
    default:
      return no('Unknown message type');
  }
}

function parseSip(fields: readonly string[], bytes: Buffer): Order {
  const [transaction, dialog, route] = fields;
  if (transaction === undefined || dialog === undefined) return no('Invalid message format');
  const text = parseSipText(bytes);
  if (/^SIP\//i.test(text.startLine)) return parseRespond(transaction, text);
  if (dialog !== '') return parseInDialog(dialog, text);
  if (transaction !== '') return parseCancel(transaction, text);
  return parseRequest(text, route);
}

function parseRespond(transaction: string, text: SipText): Order {
  if (transaction === '') return no('transaction id missing');
  const line = parseStatusLine(text.startLine);
  if (!line) return nok('Unknown server error sending response');
  return {
    kind: 'respond',
    transaction,
    draft: { ...line, headers: text.headers, body: text.body },
  };
}

function parseInDialog(dialog: DialogId, text: SipText): Order {
  const line = parseRequestLine(text.startLine);
  if (!line) {
    return nok(`Server error: invalid or missing method supplied on start line: ${text.startLine}`);
  }
  if (lacksContentType(text)) return nok('Server error: missing content-type');
  return { kind: 'request-in-dialog', dialog, draft: draftOf(line, text) };
}

function parseCancel(transaction: string, text: SipText): Order {
  const line = parseRequestLine(text.startLine);
  if (line?.method !== 'CANCEL') {
    return nok('Server error: only CANCEL may be sent for a transaction id');
  }
  return { kind: 'cancel', transaction, headers: text.headers };
}

function parseRequest(text: SipText, route = ''): Order {
  const line = parseRequestLine(text.startLine);
  if (!line) return nok(`invalid request-uri: ${text.startLine}`);
  if (lacksContentType(text)) return nok('missing content-type');
  return { kind: 'request', draft: draftOf(line, text), ...(route !== '' && { route }) };
}

function draftOf(line: { method: string; uri: string }, text: SipText): RequestDraft {
  return { ...line, headers: text.headers, body: text.body };
}

function no(reason: string): Order {
  return { kind: 'refused', verdict: 'no', reason };
}

function nok(reason: string): Order {
  return { kind: 'refused', verdict: 'nok', reason };
}
