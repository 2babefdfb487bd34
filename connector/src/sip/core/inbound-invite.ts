import type { Timer } from '../../base/clock.ts';
import { dialogIdOf, refreshTarget, sdpOf, sequenceOf, uasDialog } from '../dialog/dialog.ts';
import { hasToken, header } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { serialize } from '../message/serialize.ts';
import type { SentResponse, ServerTransaction } from '../transaction/server-transaction.ts';
import type { Received } from '../transport/transport.ts';
import {
  type Ownership,
  Refusal,
  type ResponseDraft,
  type Sent,
  type TransactionId,
} from '../user-agent.ts';
import { composeResponse, plainResponse } from './compose.ts';
import type { Answerable, Core } from './core.ts';
import type { EarlierRequest } from './earlier-request.ts';
import { endByServer } from './in-dialog.ts';
import type { LiveDialog, OpenInvite } from './live-dialog.ts';
import { contactOf } from './own-address.ts';
import { ReliableProvisionals } from './reliable-provisionals.ts';
import { Repetition } from './repetition.ts';
import { answerTimeout, sentOf } from './responding.ts';
import { agreeAsServer } from './session.ts';
import { traceOfReceived } from './trace.ts';

/** How long an application may go on ringing without saying so again. */
const ringingTimeout = 10 * 60_000;

const nothing: SentResponse = { bytes: Buffer.alloc(0), done: Promise.resolve() };

/** An INVITE from the network, initial or in a dialog, until its 2xx is acknowledged or it has failed. */
export class InboundInvite implements Answerable, OpenInvite {
  readonly id: TransactionId;
  readonly server: ServerTransaction;
  readonly received: Received;
  /** It begins a dialog. */
  readonly isInitial: boolean;
  /** The one it came in; empty for an initial one. */
  readonly dialog: string;
  readonly #core: Core;
  readonly #provisionals: ReliableProvisionals;
  #live: LiveDialog | undefined;
  #toTag: string;
  #owner: string | undefined;
  #guard: Timer;
  #repetition: Repetition | undefined;
  #last: SentResponse = nothing;
  #phase: 'open' | 'answered' | 'over' = 'open';

  constructor(
    core: Core,
    given: {
      server: ServerTransaction;
      received: Received;
      live?: LiveDialog | undefined;
      /** What an earlier process made of it. */
      earlier?: EarlierRequest;
    },
  ) {
    const { earlier } = given;
    this.id = earlier?.id ?? core.ids.uuid();
    this.server = given.server;
    this.received = given.received;
    this.#core = core;
    this.#live = given.live;
    this.isInitial = earlier ? earlier.dialog === '' : given.live === undefined;
    this.dialog = this.isInitial ? '' : (given.live?.id ?? '');
    this.#toTag = earlier?.toTag ?? core.ids.tag();
    if (given.live) given.live.serverInvite = this;
    this.#guard = core.clock.after(answerTimeout, () => this.refuse(500, 'Server Internal Error'));
    this.#provisionals = new ReliableProvisionals(core.ids.sequence(), {
      clock: core.clock,
      timers: core.timers,
      giveUp: () => this.#onUnconfirmed(),
    });
    core.answerables.set(this.id, this);
    this.server.user = this;
    if (earlier) {
      this.#goOn(earlier);
      return;
    }
    // §8.2.6.1: so that the caller stops repeating, whatever the application does.
    this.#send(plainResponse(100, 'Trying'));
  }

  get toTag(): string {
    return this.#toTag;
  }

  get request(): SipRequest {
    return this.server.request;
  }

  get isInDialog(): boolean {
    return !this.isInitial;
  }

  get isAnswered(): boolean {
    return this.#phase === 'answered';
  }

  async respond(draft: ResponseDraft, { owner }: Ownership = {}): Promise<Sent> {
    this.#owner ??= owner;
    if (this.#phase !== 'open') return this.#echo(this.#last);
    this.#takeTag(draft);
    if (draft.status <= 100) return this.#echo(this.#send(draft));
    if (draft.status < 200) return this.#echo(this.#provisional(draft));
    return this.#echo(draft.status < 300 ? this.#accept(draft) : this.#reject(draft));
  }

  /** Answers without the application; nothing happens once a final went out. */
  refuse(status: number, reason: string, extra: readonly Header[] = []): void {
    if (this.#phase !== 'open') return;
    this.#reject(plainResponse(status, reason, extra)).done.catch(() => undefined);
  }

  onCancel(cancel: Received): void {
    if (cancel.message.kind !== 'request' || this.#phase !== 'open') return;
    const dialog = this.#live?.id ?? '';
    const { message } = cancel;
    const trace = traceOfReceived(cancel, this.#core.clock.wall());
    this.#fail(plainResponse(487, 'Request Terminated')).done.catch(() => undefined);
    this.#core.user.onRequest({ transaction: this.id, dialog, message, trace });
    this.#leave();
  }

  hand(): void {
    this.#guard.cancel();
    this.#provisionals.stop();
    this.#phase = 'over';
    this.#core.answerables.delete(this.id);
  }

  /** The ACK to its 2xx came: true when it waited for one. */
  acknowledge(): boolean {
    if (this.#phase !== 'answered') return false;
    this.#repetition?.stop();
    this.#end();
    // Another process must not wait for the ACK again.
    this.server.note();
    return true;
  }

  /** Takes a PRACK; false when it confirms none of its provisionals. */
  confirm(prack: SipRequest): boolean {
    return this.#provisionals.confirm(prack, sequenceOf(this.request));
  }

  /** The dialog ended under it (a BYE came before the final, or before the ACK). */
  stop(): void {
    this.refuse(487, 'Request Terminated');
    this.#repetition?.stop();
    this.#end();
  }

  #goOn({ answer }: EarlierRequest): void {
    if (!answer) return;
    this.#guard.cancel();
    this.#phase = 'answered';
    this.#repeat(answer.status, answer.bytes);
  }

  #echo(sent: SentResponse): Promise<Sent> {
    // In the dialog of a call of ours its From tag is the peer's, and not the one that names it.
    const dialog = this.#live?.id ?? dialogIdOf(this.request);
    return sentOf(this.#core, this, { dialog, sent });
  }

  /** A To tag of the application's becomes the dialog's (`drachtio-protocol.md` 4.8). */
  #takeTag(draft: ResponseDraft): void {
    if (!this.isInitial || this.#live) return;
    this.#toTag = tagOf(header(draft, 'to') ?? '') ?? this.#toTag;
  }

  #compose(draft: ResponseDraft, extra: readonly Header[] = []): SipResponse {
    const { local } = this.server;
    const isReliable = extra.some((each) => each.name === 'RSeq');
    const isSuccess = draft.status >= 200 && draft.status < 300;
    const needsContact = isSuccess || isReliable || !this.isInitial;
    const contact = this.#live?.state.localContact || contactOf(local, this.request.uri);
    const parts = { local, toTag: this.#toTag, extra, ...(needsContact && { contact }) };
    return composeResponse(this.request, draft, parts);
  }

  #send(draft: ResponseDraft): SentResponse {
    this.#last = this.server.respond(this.#compose(draft));
    return this.#last;
  }

  #provisional(draft: ResponseDraft): SentResponse {
    const rseq = this.#isReliable(draft) ? this.#provisionals.nextSequence() : undefined;
    const response = this.#compose(draft, rseq === undefined ? [] : reliableHeaders(draft, rseq));
    this.#enter(response);
    this.#guard.cancel();
    this.#guard = this.#core.clock.after(ringingTimeout, () => this.refuse(408, 'Request Timeout'));
    if (rseq === undefined) {
      this.#last = this.server.respond(response);
      return this.#last;
    }
    this.#remember(response);
    const bytes = serialize(response);
    let done: Promise<void> = Promise.resolve();
    const send = () => {
      done = this.server.respondBytes(response.status, bytes);
      done.catch(() => undefined);
    };
    this.#provisionals.add({ sequence: rseq, send });
    this.#last = { bytes, done };
    return this.#last;
  }

  /** RFC 3262 §3: where the application or the caller wants it. */
  #isReliable(draft: ResponseDraft): boolean {
    if (hasToken(this.request, 'require', '100rel')) return true;
    if (!hasToken(draft, 'require', '100rel')) return false;
    if (hasToken(this.request, 'supported', '100rel')) return true;
    throw new Refusal('Remote endpoint does not support 100rel');
  }

  #accept(draft: ResponseDraft): SentResponse {
    const session = (live: LiveDialog) =>
      agreeAsServer(this.#core, live, { request: this.request, response: draft });
    const live = this.#enter(this.#compose(draft));
    const response = this.#compose(draft, session(live));
    if (!this.isInitial) live.state = refreshTarget(live.state, this.request, this.received);
    live.state = {
      ...live.state,
      phase: 'confirmed',
      localContact: header(response, 'contact') ?? live.state.localContact,
    };
    this.#remember(response);
    this.#phase = 'answered';
    this.#guard.cancel();
    const bytes = serialize(response);
    this.#last = { bytes, done: Promise.resolve() };
    // RFC 3262 §3: no 2xx before the offer or answer in a reliable provisional is confirmed.
    this.#provisionals.whenDone(() => this.#repeat(response.status, bytes));
    return this.#last;
  }

  #repeat(status: number, bytes: Buffer): void {
    const done = this.server.respondBytes(status, bytes);
    done.catch(() => undefined);
    this.#last = { bytes, done };
    this.#repetition = new Repetition({
      clock: this.#core.clock,
      timers: this.#core.timers,
      longest: this.#core.timers.t2,
      repeat: () => void this.server.respondBytes(status, bytes).catch(() => undefined),
      giveUp: () => this.#onUnacknowledged(),
    });
  }

  #reject(draft: ResponseDraft): SentResponse {
    const sent = this.#fail(draft);
    this.#leave();
    return sent;
  }

  #fail(draft: ResponseDraft): SentResponse {
    const sent = this.#send(draft);
    this.#guard.cancel();
    this.#provisionals.stop();
    this.#end();
    return sent;
  }

  /** An early dialog ends with its INVITE (§12.3). */
  #leave(): void {
    if (this.#live && this.isInitial) this.#core.dialogs.end(this.#live);
  }

  /** The dialog of a response with To tag (§12.1.1). */
  #enter(response: SipResponse): LiveDialog {
    if (this.#live) return this.#live;
    const live = this.#core.dialogs.add(
      uasDialog(this.request, response, {
        received: this.received,
        localSequence: this.#core.ids.sequence(),
        contact: contactOf(this.server.local, this.request.uri),
      }),
      { owner: this.#owner },
    );
    live.serverInvite = this;
    this.#live = live;
    return live;
  }

  #remember(response: SipResponse): void {
    const localSdp = sdpOf(response);
    if (this.#live && localSdp !== undefined) this.#live.state = { ...this.#live.state, localSdp };
  }

  #end(): void {
    this.#phase = 'over';
    this.#core.answerables.delete(this.id);
    if (this.#live?.serverInvite === this) this.#live.serverInvite = undefined;
    const bye = this.#live?.heldBye;
    if (this.#live) this.#live.heldBye = undefined;
    bye?.();
  }

  /** §13.3.1.4: 64 * T1 without ACK ends the dialog. */
  #onUnacknowledged(): void {
    const live = this.#live;
    const isByeHeld = live?.heldBye !== undefined;
    this.#end();
    if (!live || isByeHeld) return;
    endByServer(this.#core, live, 'ACK timeout').catch(() =>
      this.#core.log.warn({}, 'BYE after a missing ACK could not be sent'),
    );
  }

  /** RFC 3262 §3: 64 * T1 without PRACK. A 2xx that waited for it goes out and runs into its own end. */
  #onUnconfirmed(): void {
    if (this.#phase === 'answered') {
      const { bytes } = this.#last;
      this.#provisionals.stop();
      this.#repeat(200, bytes);
    } else {
      this.refuse(504, 'Server Time-out');
    }
  }
}

function reliableHeaders(draft: ResponseDraft, rseq: number): Header[] {
  const sequence = { name: 'RSeq', value: String(rseq) };
  const isSaid = hasToken(draft, 'require', '100rel');
  return isSaid ? [sequence] : [{ name: 'Require', value: '100rel' }, sequence];
}
