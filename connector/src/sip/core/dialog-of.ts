import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import type { DialogStore } from './dialog-store.ts';
import type { LiveDialog } from './live-dialog.ts';
import { notifyKey } from './outbound-other.ts';

/** The dialog that a request from the network is in (§12.2.2). */
export function findDialog(dialogs: DialogStore, request: SipRequest): LiveDialog | undefined {
  const localTag = tagOf(header(request, 'to') ?? '');
  if (localTag === undefined) return undefined;
  const remoteTag = tagOf(header(request, 'from') ?? '') ?? '';
  const callId = header(request, 'call-id') ?? '';
  return dialogs.find({ callId, localTag, remoteTag });
}

/** What names the SUBSCRIBE that a NOTIFY may answer (RFC 6665 §4.1.2.4). */
export function notifyKeyOf(request: SipRequest): string {
  return notifyKey(header(request, 'call-id'), tagOf(header(request, 'to') ?? ''));
}
