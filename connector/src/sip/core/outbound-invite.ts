import {
  confirm,
  type Dialog,
  dialogIdOf,
  refreshTarget,
  sdpOf,
  sequenceOf,
  uacDialog,
} from '../dialog/dialog.ts';
import { parseRSeq } from '../message/cseq.ts';
import { hasToken, header } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { transactionTimeout } from '../transaction/timers.ts';
import type { Received, Remote } from '../transport/transport.ts';
import {
  type Ownership,
  Refusal,
  type RequestDraft,
  type Sent,
  type TransactionId,
} from '../user-agent.ts';
import type { Cancellable, Core } from './core.ts';
import { dismiss, emptyAck } from './dismissal.ts';
import { credentialsOf, endByServer, orderInDialog } from './in-dialog.ts';
import type { LiveDialog, PendingInvite } from './live-dialog.ts';
import { inviteKey, inviteRecord } from './lost-invite.ts';
import { type Answer, type Departure, type Order, Sending } from './sending.ts';
import { agreeAsClient } from './session.ts';
import { type AckDeparture, sendStateless } from './stateless.ts';

/** Early dialogs of one INVITE. Whoever answers it chooses the tags, and each costs memory and a record. */
const mostForks = 64;

/** An INVITE of the application, initial or in a dialog, until nothing of it can come any more. */
export class OutboundInvite implements Cancellable, PendingInvite {
  readonly id: TransactionId;
  readonly #core: Core;
  readonly #sending: Sending;
  /** The dialog of a re-INVITE. */
  readonly #within: LiveDialog | undefined;
  readonly #owner: string | undefined;
  /** ACKs by the To tag of their 2xx; undefined until the application has sent it. */
  readonly #acks = new Map<string, Promise<AckDeparture> | undefined>();
  #dialogId = '';
  #release: () => void = () => undefined;
  #isFinal = false;

  constructor(core: Core, order: Order, of: Ownership & { within?: LiveDialog }) {
    this.id = core.ids.uuid();
    this.#core = core;
    this.#within = of.within;
    this.#owner = of.owner;
    this.#sending = new Sending(core, order, {
      onSend: (request, remote) => this.#note(request, remote),
      onAnswer: (answer) => this.#onAnswer(answer),
    });
  }

  /** Sends it. Throws `Refusal`. */
  async start(): Promise<Sent> {
    if (this.#within) this.#within.clientInvite ??= this;
    try {
      const departure = await (this.#within?.inTurn(() => this.#sending.start()) ??
        this.#sending.start());
      this.#dialogId = this.#within?.id ?? dialogIdOf(departure.request);
      this.#release = this.#core.dialogs.retain(this.#dialogId);
      this.#core.cancellables.set(this.id, this);
      return this.#echo(this.id, departure);
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  async cancel(headers: readonly Header[]): Promise<Sent> {
    const departure = this.#sending.cancel(headers);
    if (!departure) throw new Refusal(`unable to cancel unknown transaction id: ${this.id}`);
    return this.#echo(this.#core.ids.uuid(), departure);
  }

  withdraw(): void {
    this.#sending.cancel([]);
  }

  #echo(transaction: TransactionId, { bytes, trace }: Departure): Sent {
    return { transaction, dialog: this.#dialogId, text: bytes, trace };
  }

  #onAnswer(answer: Answer): void {
    const { status } = answer.response;
    if (status === 100) return;
    if (status < 200) this.#onProvisional(answer);
    else if (status < 300) this.#onSuccess(answer);
    else this.#onFailure(answer);
  }

  #onProvisional(answer: Answer): void {
    const { response, request, received } = answer;
    const live = this.#within ?? (received && this.#early(request, response, received));
    if (live && isReliable(response) && !takeReliable(live, response)) return;
    this.#deliver(answer);
  }

  /** The early dialog of a provisional, which may be one of several forks (§12.1.2). */
  #early(request: SipRequest, response: SipResponse, received: Received): LiveDialog | undefined {
    if (tagOf(header(response, 'to') ?? '') === undefined) return undefined;
    const state = uacDialog(request, response, received);
    const known = this.#core.dialogs.find(state);
    if (known) return known;
    const isRoom = this.#core.dialogs.forksOf(state.id).length < mostForks;
    return isRoom ? this.#add(state) : undefined;
  }

  #add(state: Dialog): LiveDialog {
    return this.#core.dialogs.add(state, { owner: this.#owner });
  }

  /** Another process must know what may yet be answered. */
  #note(request: SipRequest, remote: Remote): void {
    if (this.#within) return;
    const record = inviteRecord(request, remote, { owner: this.#owner });
    this.#core.journal.put(inviteKey(this.id), record);
  }

  #onSuccess(answer: Answer): void {
    const tag = tagOf(header(answer.response, 'to') ?? '') ?? '';
    if (this.#acks.has(tag)) {
      this.#repeatAck(tag);
      return;
    }
    if (!answer.received) return;
    if (this.#isFinal) {
      const { request, response, received } = answer;
      const reason = 'another fork has answered';
      this.#acks.set(tag, dismiss(this.#core, { request, response, received }, reason));
      return;
    }
    this.#finish();
    this.#acks.set(tag, undefined);
    const live = this.#within ?? this.#confirm(answer.request, answer.response, answer.received);
    this.#settle(live, answer);
    this.#awaitAck(live, { tag, request: answer.request });
    this.#deliver(answer);
    this.#release();
  }

  /** §13.2.2.4: the first 2xx makes the dialog; those of other forks that only rang are over. */
  #confirm(request: SipRequest, response: SipResponse, received: Received): LiveDialog {
    const state = uacDialog(request, response, received);
    const known = this.#core.dialogs.find(state);
    if (known) known.state = confirm(known.state, state);
    const live = known ?? this.#add(state);
    for (const fork of this.#core.dialogs.forksOf(state.id)) {
      if (fork !== live && fork.state.phase === 'early') this.#core.dialogs.end(fork);
    }
    return live;
  }

  /** What a 2xx changes in the dialog: target, session in force, timer. */
  #settle(live: LiveDialog, { request, response, received }: Answer): void {
    if (this.#within && received) live.state = refreshTarget(live.state, response, received);
    const localSdp = sdpOf(request);
    const localContact = header(request, 'contact');
    live.state = {
      ...live.state,
      ...(localSdp !== undefined && { localSdp }),
      ...(localContact !== undefined && { localContact }),
    };
    agreeAsClient(this.#core, live, response);
  }

  #awaitAck(live: LiveDialog, of: { tag: string; request: SipRequest }): void {
    const isComplete = this.#within !== undefined && sdpOf(of.request) !== undefined;
    const forsake = () => {
      this.#acknowledge(live, of, emptyAck)
        .then(() => (isComplete ? undefined : endByServer(this.#core, live, 'ACK timeout')))
        .catch(() => this.#core.log.warn({}, 'call that nobody acknowledged could not be ended'));
    };
    live.unacknowledged = {
      acknowledge: (draft) => this.#acknowledge(live, of, draft),
      forsake,
      drop: () => this.#core.journal.remove(inviteKey(this.id)),
    };
    // The peer waits 64 * T1 for the ACK as well; an application that sends none has lost the call. A
    // re-INVITE with an offer has its answer by then: an early ACK keeps the call.
    const { timers } = this.#core;
    live.timers.start('ack', isComplete ? 20 * timers.t1 : transactionTimeout(timers), forsake);
  }

  async #acknowledge(
    live: LiveDialog,
    { tag, request }: { tag: string; request: SipRequest },
    draft: RequestDraft,
  ): Promise<Sent> {
    live.timers.stop('ack');
    live.unacknowledged = undefined;
    this.#core.journal.remove(inviteKey(this.id));
    const { headers, body } = draft;
    const sequence = sequenceOf(request);
    const order = orderInDialog(live, {
      method: 'ACK',
      sequence,
      headers: [...headers, ...credentialsOf(request)],
      body,
    });
    const ack = live.inTurn(() => sendStateless(this.#core, order));
    this.#acks.set(tag, ack);
    const departure = await ack;
    const localSdp = sdpOf(departure.request);
    if (localSdp !== undefined) live.state = { ...live.state, localSdp };
    if (this.#sending.isCancelled && !this.#within) {
      endByServer(this.#core, live, 'ACK-BYE due to cancel race condition').catch(() =>
        this.#core.log.warn({}, 'BYE after a late CANCEL could not be sent'),
      );
    }
    return this.#echo(this.#core.ids.uuid(), departure);
  }

  #repeatAck(tag: string): void {
    this.#acks
      .get(tag)
      ?.then(({ bytes, remote }) => this.#core.transport.send(bytes, remote))
      .catch(() => undefined);
  }

  #onFailure(answer: Answer): void {
    this.#finish();
    this.#core.journal.remove(inviteKey(this.id));
    this.#deliver(answer);
    if (!this.#within) {
      for (const fork of this.#core.dialogs.forksOf(this.#dialogId)) {
        if (fork.state.phase === 'early') this.#core.dialogs.end(fork);
      }
    }
    this.#release();
  }

  #finish(): void {
    this.#isFinal = true;
    this.#core.cancellables.delete(this.id);
    if (this.#within?.clientInvite === this) this.#within.clientInvite = undefined;
  }

  #deliver({ response: message, trace }: Answer): void {
    this.#core.user.onResponse({
      transaction: this.id,
      dialog: this.#dialogId,
      message,
      trace,
    });
  }
}

function isReliable(response: SipResponse): boolean {
  return hasToken(response, 'require', '100rel') && header(response, 'rseq') !== undefined;
}

/** RFC 3262 §4: in order, and each once. */
function takeReliable(live: LiveDialog, response: SipResponse): boolean {
  const sequence = parseRSeq(header(response, 'rseq') ?? '');
  if (sequence === undefined) return false;
  const last = live.reliable;
  const invite = sequenceOf(response);
  if (last?.invite === invite && sequence !== last.sequence + 1) return false;
  live.reliable = { invite, sequence, isConfirmed: false };
  return true;
}
