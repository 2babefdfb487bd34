import { header } from '../message/headers.ts';
import type { Header, SipRequest } from '../message/message.ts';
import type { Dialog } from './dialog.ts';
import { isForeign } from './draft-headers.ts';
import { routingOf } from './routing.ts';

/** Methods whose requests may change where the peer sends to (RFC 3261 §12.2, 3311, 6665). */
const targetRefreshes = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** What goes into the dialog. */
export interface InDialogDraft {
  readonly method: string;
  /** Instead of the remote target. */
  readonly uri?: string;
  readonly sequence: number;
  readonly headers: readonly Header[];
  /** Headers of the server's own that a draft may not set. */
  readonly extra?: readonly Header[];
  readonly body: Buffer;
}

/** A request in a dialog, complete but for its Via, and where it goes (§12.2.1.1). */
export function inDialogRequest(
  dialog: Dialog,
  draft: InDialogDraft,
): { request: SipRequest; nextHop: string } {
  const { uri, routes, nextHop } = routingOf(draft.uri ?? dialog.remoteTarget, dialog.routeSet);
  const needsContact = targetRefreshes.has(draft.method) && header(draft, 'contact') === undefined;
  const request: SipRequest = {
    kind: 'request',
    method: draft.method,
    uri,
    headers: [
      ...routes.map((value) => ({ name: 'Route', value })),
      { name: 'Max-Forwards', value: header(draft, 'max-forwards') ?? '70' },
      { name: 'From', value: dialog.localParty },
      { name: 'To', value: dialog.remoteParty },
      { name: 'Call-ID', value: dialog.callId },
      { name: 'CSeq', value: `${draft.sequence} ${draft.method}` },
      ...(needsContact && dialog.localContact !== ''
        ? [{ name: 'Contact', value: dialog.localContact }]
        : []),
      ...draft.headers.filter((each) => isForeign(each.name)),
      ...(draft.extra ?? []),
    ],
    body: draft.body,
  };
  return { request, nextHop };
}
