import { dialogIdOf, sequenceOf } from '../dialog/dialog.ts';
import { parseCSeq } from '../message/cseq.ts';
import { header } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { parseMessage } from '../message/parse.ts';
import { cancelOf } from '../transaction/ack.ts';
import { portable, textOf } from '../transaction/server-record.ts';
import type { Received, Remote } from '../transport/transport.ts';
import type { Ownership } from '../user-agent.ts';
import type { Core } from './core.ts';
import { acknowledge, dismiss } from './dismissal.ts';
import { endByServer } from './in-dialog.ts';
import type { LiveDialog } from './live-dialog.ts';
import { responseOfStack } from './sending.ts';
import type { AckDeparture } from './stateless.ts';
import { traceOfStack } from './trace.ts';

/** Who answers a cancelled INVITE so late as that was never going to hear of the CANCEL. */
const longestAnswer = 3 * 60_000;

/** An INVITE of ours in the journal that begins a call, until its final failure or the ACK to its 2xx. */
export interface InviteRecord {
  /** As sent, in latin1. */
  readonly invite: string;
  readonly remote: Remote;
  readonly owner?: string;
}

/** One that an earlier process sent, and the ACKs to its 2xx by their To tag. */
export interface LostInvite {
  readonly request: SipRequest;
  readonly acks: Map<string, Promise<AckDeparture>>;
}

const prefix = 'invite ';

export function inviteKey(id: string): string {
  return `${prefix}${id}`;
}

export function isInviteKey(key: string): boolean {
  return key.startsWith(prefix);
}

export function isInviteRecord(value: unknown): value is InviteRecord {
  return typeof value === 'object' && value !== null && 'invite' in value && 'remote' in value;
}

export function inviteRecord(
  request: SipRequest,
  remote: Remote,
  { owner }: Ownership,
): InviteRecord {
  const record = { invite: textOf(request), remote: portable(remote) };
  return owner === undefined ? record : { ...record, owner };
}

/**
 * What an INVITE of an earlier process began is not gone on with: it is cancelled, who has answered or
 * still does gets ACK and BYE, and the application, if it comes back, a 503. False for a record that
 * cannot be used.
 */
export function dropInvite(core: Core, key: string, record: InviteRecord): boolean {
  const request = parseMessage(Buffer.from(record.invite, 'latin1'));
  if (request.kind !== 'request') return false;
  const name = nameOf(request);
  const lost: LostInvite = { request, acks: new Map() };
  core.lostInvites.set(name, lost);
  core.clock.after(longestAnswer, () => {
    core.lostInvites.delete(name);
    core.journal.remove(key);
  });
  endForks(core, lost);
  if (lost.acks.size === 0) cancel(core, request, record.remote);
  tell(core, key.slice(prefix.length), { request, owner: record.owner });
  return true;
}

/** A response of no transaction: a 2xx to an INVITE of an earlier process gets its ACK at least. */
export function onStray(core: Core, response: SipResponse, received: Received): void {
  const cseq = parseCSeq(header(response, 'cseq') ?? '');
  if (response.status < 200 || response.status >= 300 || cseq?.method !== 'INVITE') return;
  const lost = core.lostInvites.get(nameOf(response));
  if (lost && cseq.sequence === sequenceOf(lost.request)) {
    onAnswer(core, lost, { response, received });
    return;
  }
  const live = dialogOf(core, response);
  if (!live || live.unacknowledged || cseq.sequence > live.state.localSequence) return;
  acknowledge(core, live, response).catch(() => undefined);
}

function dialogOf(core: Core, response: SipResponse): LiveDialog | undefined {
  return core.dialogs.find({
    callId: header(response, 'call-id') ?? '',
    localTag: tagOf(header(response, 'from') ?? '') ?? '',
    remoteTag: toTagOf(response),
  });
}

/** The ACK goes out with each repetition, the BYE once. */
function onAnswer(
  core: Core,
  { request, acks }: LostInvite,
  { response, received }: { response: SipResponse; received: Received },
): void {
  const tag = toTagOf(response);
  const known = acks.get(tag);
  if (!known) acks.set(tag, dismiss(core, { request, response, received }, reason));
  known
    ?.then(({ bytes, remote }) => core.transport.send(bytes, remote))
    .catch(() => core.log.debug({}, 'an ACK could not be repeated'));
}

function toTagOf(response: SipResponse): string {
  return tagOf(header(response, 'to') ?? '') ?? '';
}

const reason = 'the application is gone';

/** Early dialogs go with their INVITE; of those that are confirmed nobody may know. */
function endForks(core: Core, { request, acks }: LostInvite): void {
  for (const fork of core.dialogs.forksOf(dialogIdOf(request))) {
    if (fork.state.phase === 'early') {
      core.dialogs.end(fork);
      continue;
    }
    const ack = acknowledge(core, fork, request);
    acks.set(fork.state.remoteTag, ack);
    ack
      .then(() => endByServer(core, fork, reason))
      .catch(() => core.log.warn({}, 'call that nobody acknowledged could not be ended'));
  }
}

function tell(core: Core, transaction: string, of: Ownership & { request: SipRequest }): void {
  if (of.owner === undefined) return;
  core.user.onRequestRestored?.(transaction, of.owner);
  core.user.onResponse({
    transaction,
    dialog: dialogIdOf(of.request),
    message: responseOfStack(of.request, 503, 'Service Unavailable'),
    trace: traceOfStack(core.clock.wall()),
  });
}

function cancel(core: Core, request: SipRequest, remote: Remote): void {
  core.layer.send(cancelOf(request, []), remote, {
    onResponse: () => undefined,
    onFailure: () => undefined,
  });
}

function nameOf(message: SipRequest | SipResponse): string {
  return `${header(message, 'call-id')} ${tagOf(header(message, 'from') ?? '')}`;
}
