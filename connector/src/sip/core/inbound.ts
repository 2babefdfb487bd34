import { dialogIdOf, sequenceOf, takeSequence } from '../dialog/dialog.ts';
import { header } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import type { TransactionLayerUser } from '../transaction/layer.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Received, Remote } from '../transport/transport.ts';
import { composeResponse, plainResponse } from './compose.ts';
import type { Core } from './core.ts';
import { findDialog, notifyKeyOf } from './dialog-of.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { InboundInvite } from './inbound-invite.ts';
import { InboundOther } from './inbound-other.ts';
import type { LiveDialog } from './live-dialog.ts';
import { onStray } from './lost-invite.ts';
import { refusalReasonOf } from './refusals.ts';
import { traceOfReceived } from './trace.ts';
import {
  crossing,
  judge,
  judgeInDialog,
  tooEarly,
  unknownDialog,
  type Verdict,
} from './verdict.ts';

/** Requests that are in no dialog, whatever their To tag says. */
const dialogless = new Set(['REGISTER', 'PUBLISH']);

/** A request and how it came. */
interface Arrival {
  readonly request: SipRequest;
  readonly server: ServerTransaction;
  readonly received: Received;
}

/** Takes what comes from the network to its dialog, or to the user as something new. */
export class Inbound implements TransactionLayerUser {
  readonly #core: Core;
  readonly #isFull: () => boolean;
  readonly #gatekeeper: Gatekeeper | undefined;
  readonly #routed: (server: ServerTransaction | undefined, received: Received) => boolean;

  constructor(
    core: Core,
    parts: {
      /** No more dialogs can be begun. */
      readonly isFull: () => boolean;
      readonly gatekeeper: Gatekeeper | undefined;
      /** Takes requests for a proxy that record-routed; false when it is none. */
      readonly routed: (server: ServerTransaction | undefined, received: Received) => boolean;
    },
  ) {
    this.#core = core;
    this.#isFull = parts.isFull;
    this.#gatekeeper = parts.gatekeeper;
    this.#routed = parts.routed;
  }

  onRequest(server: ServerTransaction, received: Received): void {
    const { request } = server;
    const arrival = { request, server, received };
    if (request.method === 'CANCEL') {
      this.#onCancel(arrival);
      return;
    }
    const live = findDialog(this.#core.dialogs, request);
    if (!live && this.#routed(server, received)) return;
    const verdict =
      judge(request) ??
      this.#judgePlace(request, live) ??
      (live ? undefined : this.#challenge(request, received.remote));
    if (verdict) this.#refuse(server, verdict);
    else if (live) this.#onInDialog(live, arrival);
    else this.#onNew(arrival);
  }

  /** The 401 for a stranger; who answers our SUBSCRIBE with a NOTIFY is none. */
  #challenge(request: SipRequest, remote: Remote): Verdict | undefined {
    if (request.method === 'NOTIFY' && this.#core.awaitingNotify.has(notifyKeyOf(request))) {
      return undefined;
    }
    const extra = this.#gatekeeper?.challengeTo(request, remote);
    return extra && [401, 'Unauthorized', ...extra];
  }

  onAck(ack: SipRequest, received: Received): void {
    const live = findDialog(this.#core.dialogs, ack);
    const invite = live?.serverInvite;
    if (!live) {
      this.#routed(undefined, received);
    } else if (invite instanceof InboundInvite && sequenceOf(ack) === sequenceOf(invite.request)) {
      this.#onFirstAck(live, invite, { ack, received });
    }
  }

  onStray(response: SipResponse, received: Received): void {
    onStray(this.#core, response, received);
  }

  /** §12.2.2 and §8.2.2.2: requests that should be in a dialog, or should not. */
  #judgePlace(request: SipRequest, live: LiveDialog | undefined): Verdict | undefined {
    if (live) return undefined;
    if (tagOf(header(request, 'to') ?? '') !== undefined) {
      return this.#isExpected(request) ? undefined : unknownDialog;
    }
    if (this.#isFull()) return [503, 'Service Unavailable', { name: 'Retry-After', value: '10' }];
    if (request.method !== 'INVITE') return undefined;
    return this.#judgeRepeated(dialogIdOf(request));
  }

  #judgeRepeated(id: string): Verdict | undefined {
    if (!this.#core.dialogs.has(id)) return undefined;
    // The same call again: while its 2xx waits for the ACK it may come later, else it has come round.
    return this.#core.dialogs.current(id)?.state.role === 'uas' ? crossing : [482, 'Loop Detected'];
  }

  /** To tags that belong to no dialog of ours and are right. */
  #isExpected(request: SipRequest): boolean {
    if (dialogless.has(request.method)) return true;
    if (request.method !== 'NOTIFY') return false;
    // RFC 3515 §2.4.4: a REFER outside of dialogs has subscribed to this.
    const isReferred = /^\s*refer\b/i.test(header(request, 'event') ?? '');
    return isReferred || this.#core.awaitingNotify.has(notifyKeyOf(request));
  }

  #onNew(arrival: Arrival): void {
    const { request, received, server } = arrival;
    const subscriber = this.#core.awaitingNotify.get(notifyKeyOf(request));
    if (request.method === 'NOTIFY' && subscriber) {
      this.#onInDialog(subscriber(request, received), arrival);
      return;
    }
    const { id } =
      request.method === 'INVITE'
        ? new InboundInvite(this.#core, { server, received })
        : new InboundOther(this.#core, { server, received });
    this.#deliver(id, '', arrival);
  }

  #onInDialog(live: LiveDialog, arrival: Arrival): void {
    const next = takeSequence(live.state, arrival.request);
    live.state = next ?? live.state;
    const verdict = next ? judgeInDialog(live, arrival.request) : tooEarly;
    if (!verdict) {
      this.#accept(live, arrival);
      return;
    }
    const [status, reason] = verdict;
    this.#refuse(arrival.server, [status, reason, ...this.#delayOf(status)]);
  }

  #accept(live: LiveDialog, arrival: Arrival): void {
    const { request, server, received } = arrival;
    if (request.method === 'INVITE') {
      const { id } = new InboundInvite(this.#core, { server, received, live });
      this.#deliver(id, live.id, arrival);
      return;
    }
    if (request.method === 'PRACK' && !confirm(live, request)) {
      this.#refuse(server, unknownDialog);
      return;
    }
    const onAnswered =
      request.method === 'UPDATE' ? () => (live.hasServerUpdate = false) : undefined;
    if (onAnswered) live.hasServerUpdate = true;
    const given = { server, received, live, ...(onAnswered && { onAnswered }) };
    const { id } = new InboundOther(this.#core, given);
    this.#deliver(id, live.id, arrival);
    if (request.method === 'BYE') this.#onBye(live);
  }

  /** §15.1.2: the dialog is over at once, and what is unanswered in it with it. */
  #onBye(live: LiveDialog): void {
    if (live.serverInvite instanceof InboundInvite) live.serverInvite.stop();
    live.clientInvite?.withdraw();
    this.#core.dialogs.end(live);
  }

  #onFirstAck(
    live: LiveDialog,
    invite: InboundInvite,
    { ack, received }: { ack: SipRequest; received: Received },
  ): void {
    const bye = live.heldBye;
    live.heldBye = undefined;
    if (!invite.acknowledge()) return;
    // The ACK of a re-INVITE gets a name of its own (`drachtio-protocol.md` 2).
    const transaction = invite.isInitial ? invite.id : this.#core.ids.uuid();
    const trace = traceOfReceived(received, this.#core.clock.wall());
    this.#core.user.onRequest({ transaction, dialog: live.id, message: ack, trace });
    bye?.();
  }

  /** §9.2: a CANCEL finds its INVITE by the branch. */
  #onCancel({ request, server, received }: Arrival): void {
    const invite = this.#core.layer.inviteOf(request);
    if (!invite) {
      this.#refuse(server, unknownDialog);
      return;
    }
    // §9.2: the tag is the INVITE's; after its final response nothing but this answer follows.
    const parts = { local: server.local, toTag: invite.user.toTag ?? this.#core.ids.tag() };
    server
      .respond(composeResponse(request, plainResponse(200, 'OK'), parts))
      .done.catch(() => undefined);
    if (invite.status < 200) invite.user.onCancel?.(received);
  }

  #deliver(transaction: string, dialog: string, { request, received }: Arrival): void {
    const trace = traceOfReceived(received, this.#core.clock.wall());
    const local = dialog === '' ? { local: received.local } : {};
    this.#core.user.onRequest({ transaction, dialog, message: request, trace, ...local });
  }

  #refuse(server: ServerTransaction, verdict: Verdict): void {
    this.#core.refusals.count(refusalReasonOf(verdict[0]));
    refuse(server, this.#core.ids.tag(), verdict);
  }

  /** §14.2: an INVITE that comes too early says when to try again. */
  #delayOf(status: number): Header[] {
    if (status !== 500) return [];
    const seconds = Math.floor(this.#core.ids.between(0, 11));
    return [{ name: 'Retry-After', value: String(seconds) }];
  }
}

function confirm(live: LiveDialog, prack: SipRequest): boolean {
  return live.serverInvite instanceof InboundInvite && live.serverInvite.confirm(prack);
}

function refuse(
  server: ServerTransaction,
  toTag: string,
  [status, reason, ...extra]: Verdict,
): void {
  const response = composeResponse(server.request, plainResponse(status, reason, extra), {
    local: server.local,
    toTag,
  });
  server.respond(response).done.catch(() => undefined);
}
