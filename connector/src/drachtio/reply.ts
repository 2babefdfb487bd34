import type { SipResponse } from '../sip/message/message.ts';
import { serialize } from '../sip/message/serialize.ts';
import type { ListenPoint } from '../sip/transport/transport.ts';
import type { Sent, Trace } from '../sip/user-agent.ts';
import { encodeFrame, encodeMessageFrame } from './frame.ts';
import { formatMeta } from './meta.ts';

/** The result of a command; all but `no` leave the connection open. */
export type Reply =
  | { readonly kind: 'ok'; readonly data?: string }
  | {
      readonly kind: 'authenticated';
      readonly version: string;
      readonly points: readonly ListenPoint[];
    }
  | { readonly kind: 'response-sent'; readonly sent: Sent }
  | { readonly kind: 'request-sent'; readonly sent: Sent }
  | { readonly kind: 'branch-answered'; readonly response: SipResponse; readonly trace: Trace }
  | { readonly kind: 'nok'; readonly reason: string }
  | { readonly kind: 'no'; readonly reason: string };

/** The frame of a reply; `id` is its own, `command` that of the command it answers. */
export function encodeReply(id: string, command: string, reply: Reply): Buffer {
  const start = `${id}|response|${command}|`;
  switch (reply.kind) {
    case 'ok':
      return encodeFrame(`${start}OK${reply.data === undefined ? '' : `|${reply.data}`}`);
    case 'authenticated':
      return encodeFrame(`${start}OK|${hostPortsOf(reply)}`);
    case 'response-sent':
      return encodeMessageFrame(`${start}OK|${echoOfResponse(reply.sent)}`, reply.sent.text);
    case 'request-sent':
      return encodeMessageFrame(`${start}OK|${echoOfRequest(reply.sent)}`, reply.sent.text);
    case 'branch-answered':
      return encodeMessageFrame(
        `${start}OK|${formatMeta(reply.trace)}|||continue`,
        serialize(reply.response),
      );
    case 'nok':
      return encodeFrame(`${start}NOK|${oneLine(reply.reason)}`);
    case 'no':
      return encodeFrame(`${start}NO|${oneLine(reply.reason)}`);
  }
}

/** The dialog field is there, filled or not. */
function echoOfResponse({ trace, transaction, dialog }: Sent): string {
  return `${formatMeta(trace)}|${transaction}|${dialog}||Msg sent:|`;
}

/** One field less: no dialog. */
function echoOfRequest({ trace, transaction }: Sent): string {
  return `${formatMeta(trace)}|${transaction}|Msg sent:|`;
}

function hostPortsOf(reply: Extract<Reply, { kind: 'authenticated' }>): string {
  const advertised = reply.points.map((point) =>
    hostPort(point, point.externalHost ?? point.address),
  );
  const bound = reply.points.map((point) => hostPort(point, point.address));
  return `${advertised.join(',')}|${reply.version}|${bound.join(',')}`;
}

function hostPort({ protocol, port }: ListenPoint, host: string): string {
  return `${protocol}/${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

/** Reasons quote what the application wrote; a reply without SIP text has no line break. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
