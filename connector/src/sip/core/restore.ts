import { messageOf } from '../../base/errors.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { parseMessage } from '../message/parse.ts';
import { isServerRecordKey, portable, type ServerRecord } from '../transaction/server-record.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Received } from '../transport/transport.ts';
import { composeResponse, plainResponse } from './compose.ts';
import type { Core } from './core.ts';
import { findDialog } from './dialog-of.ts';
import { type DialogRecord, isDialogKey, sessionOfRecord } from './dialog-record.ts';
import type { EarlierRequest } from './earlier-request.ts';
import { endByServer } from './in-dialog.ts';
import { InboundInvite } from './inbound-invite.ts';
import { InboundOther } from './inbound-other.ts';
import type { LiveDialog } from './live-dialog.ts';
import { dropInvite, isInviteKey, isInviteRecord } from './lost-invite.ts';
import { resumeSession } from './session.ts';
import { traceOfReceived } from './trace.ts';

/** Takes up the dialogs and server transactions of an earlier process where it left them. */
export function restore(core: Core): void {
  const leaving: LiveDialog[] = [];
  takeUp(
    core,
    isDialogKey,
    (_, value) => isDialogRecord(value) && restoreDialog(core, value, leaving),
  );
  takeUp(
    core,
    isServerRecordKey,
    (_, value) => isServerRecord(value) && restoreServer(core, value),
  );
  takeUp(core, isInviteKey, (key, value) => isInviteRecord(value) && dropInvite(core, key, value));
  for (const live of leaving) leave(core, live);
  if (core.dialogs.size === 0 && core.layer.size === 0) return;
  const counts = { dialogs: core.dialogs.size, transactions: core.layer.size };
  core.log.info(counts, 'calls of the process before are back');
}

/** Records that cannot be used are removed: one that stayed would meet every start again. */
function takeUp(
  { journal, log }: Core,
  isKey: (key: string) => boolean,
  take: (key: string, value: unknown) => boolean,
): void {
  for (const [key, value] of journal.found) {
    if (!isKey(key)) continue;
    try {
      if (!take(key, value)) journal.remove(key);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'a record of the process before cannot be used');
      journal.remove(key);
    }
  }
}

function restoreDialog(core: Core, record: DialogRecord, leaving: LiveDialog[]): boolean {
  const { createdAt, owner } = record;
  const live = core.dialogs.add(withoutConnection(record.state), { createdAt, owner });
  if (owner !== undefined) core.user.onDialogRestored?.(live.id, owner);
  resumeSession(core, live, sessionOfRecord(record, core.clock));
  if (record.isLeaving) leaving.push(live);
  return true;
}

/** A connection died with the process; the peer is reached where its Contact or its Route says. */
function withoutConnection(state: Dialog): Dialog {
  const { source, ...rest } = state;
  return source?.protocol === 'udp' ? { ...rest, source: portable(source) } : rest;
}

/** A BYE that may not have arrived is sent again; one that waited for the ACK still does (§15). */
function leave(core: Core, live: LiveDialog): void {
  const bye = () => {
    endByServer(core, live, 'BYE after a restart').catch(() =>
      core.log.warn({}, 'BYE after a restart could not be sent'),
    );
  };
  if (live.serverInvite?.isAnswered) live.heldBye = bye;
  else bye();
}

/** False for a record that cannot be used. */
function restoreServer(core: Core, record: ServerRecord): boolean {
  const message = parseMessage(Buffer.from(record.request, 'latin1'));
  if (message.kind !== 'request') return false;
  const server = core.layer.restore(message, record);
  if (!server) return false;
  const { remote, local, sizeBytes } = record;
  resume(core, record, { server, received: { message, remote, local, sizeBytes } });
  return true;
}

interface Restored {
  readonly server: ServerTransaction;
  readonly received: Received;
}

function resume(core: Core, record: ServerRecord, { server, received }: Restored): void {
  const { request, status } = server;
  const isPending = status < 200;
  if (record.id === undefined) {
    // It was in the hands of a proxy, whose branches are gone.
    if (isPending) refuse(core, server);
    return;
  }
  const earlier = earlierOf(record, record.id);
  if (!isPending && !earlier.answer) {
    server.user = earlier;
    return;
  }
  const live = dialogOf(core, request, earlier.toTag);
  const given = { server, received, live, earlier };
  const { id } =
    request.method === 'INVITE' ? new InboundInvite(core, given) : new InboundOther(core, given);
  if (isPending) deliver(core, { ...earlier, id }, received);
}

/** A BYE has ended its dialog; the owner has to be known until it is delivered. */
function withOwner(core: Core, { dialog, owner }: EarlierRequest, task: () => void): void {
  const isOver = dialog !== '' && owner !== undefined && !core.dialogs.has(dialog);
  if (isOver) core.user.onDialogRestored?.(dialog, owner);
  task();
  if (isOver) core.user.onDialogEnded(dialog);
}

function earlierOf(record: ServerRecord, id: string): EarlierRequest {
  const { toTag = '', dialog = '', owner, isAnswered, last } = record;
  const answer = isAnswered && last && last.status >= 200 ? last : undefined;
  return {
    id,
    toTag,
    dialog,
    ...(owner !== undefined && { owner }),
    ...(answer && {
      answer: { status: answer.status, bytes: Buffer.from(answer.text, 'latin1') },
    }),
  };
}

/** The dialog a request came in, or the one that an initial INVITE has made. */
function dialogOf(core: Core, request: SipRequest, toTag: string): LiveDialog | undefined {
  if (tagOf(header(request, 'to') ?? '') !== undefined) return findDialog(core.dialogs, request);
  const callId = header(request, 'call-id') ?? '';
  const remoteTag = tagOf(header(request, 'from') ?? '') ?? '';
  return core.dialogs.find({ callId, localTag: toTag, remoteTag });
}

function deliver(core: Core, earlier: EarlierRequest, received: Received): void {
  const { id, dialog } = earlier;
  const { message, local } = received;
  if (message.kind !== 'request') return;
  const trace = traceOfReceived(received, core.clock.wall());
  const point = dialog === '' ? { local } : {};
  withOwner(core, earlier, () =>
    core.user.onRequest({ transaction: id, dialog, message, trace, ...point }),
  );
}

function refuse(core: Core, server: ServerTransaction): void {
  const parts = { local: server.local, toTag: core.ids.tag() };
  const draft = plainResponse(500, 'Server Internal Error');
  server.respond(composeResponse(server.request, draft, parts)).done.catch(() => undefined);
}

/** The checksum says that it is as it was written; the version says that it was written by the like of us. */
function isDialogRecord(value: unknown): value is DialogRecord {
  return typeof value === 'object' && value !== null && 'state' in value && 'session' in value;
}

function isServerRecord(value: unknown): value is ServerRecord {
  return typeof value === 'object' && value !== null && 'request' in value && 'remote' in value;
}
