import { dialogIdOf, refreshTarget, sdpOf, uacDialog } from '../dialog/dialog.ts';
import { header } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import type { Received } from '../transport/transport.ts';
import type { Ownership, Sent, TransactionId } from '../user-agent.ts';
import type { Core } from './core.ts';
import { isLastNotify } from './inbound-other.ts';
import type { LiveDialog } from './live-dialog.ts';
import { type Answer, type Departure, type Order, Sending } from './sending.ts';
import { agreeAsClient } from './session.ts';
import { keepSubscription } from './subscription.ts';

/** Requests besides INVITE that may offer or answer (RFC 3311, RFC 3262 §5). */
const carriesSdp = new Set(['PRACK', 'UPDATE']);

/** A request of the application other than INVITE, ACK and CANCEL, until its final response. */
export class OutboundOther {
  readonly id: TransactionId;
  readonly #core: Core;
  readonly #method: string;
  readonly #owner: string | undefined;
  readonly #sending: Sending;
  #live: LiveDialog | undefined;
  #dialogId = '';
  #release: () => void = () => undefined;

  constructor(
    core: Core,
    { order, method, owner }: { order: Order; method: string } & Ownership,
    live?: LiveDialog,
  ) {
    this.#owner = owner;
    this.id = core.ids.uuid();
    this.#core = core;
    this.#method = method;
    this.#live = live;
    this.#dialogId = live?.id ?? '';
    this.#sending = new Sending(core, order, { onAnswer: (answer) => this.#onAnswer(answer) });
  }

  /** Sends it. Throws `Refusal`. */
  async start(): Promise<Sent> {
    const { request, bytes, trace } = await this.#depart();
    if (!this.#live && request.method === 'SUBSCRIBE') this.#awaitNotify(request);
    return { transaction: this.id, dialog: this.#dialogId, text: bytes, trace };
  }

  async #depart(): Promise<Departure> {
    const live = this.#live;
    if (!live) return this.#sending.start();
    mark(live, this.#method, true);
    try {
      return await live.inTurn(() => this.#sending.start());
    } catch (error) {
      mark(live, this.#method, false);
      throw error;
    }
  }

  /** RFC 6665 §4.1.2.4: the first NOTIFY may come before the response, and makes the dialog. */
  #awaitNotify(request: SipRequest): void {
    this.#dialogId = dialogIdOf(request);
    const releaseId = this.#core.dialogs.retain(this.#dialogId);
    const key = notifyKey(header(request, 'call-id'), tagOf(header(request, 'from') ?? ''));
    this.#core.awaitingNotify.set(key, (notify, received) => {
      const state = notifiedDialog(request, notify, received);
      this.#live = this.#core.dialogs.add(state, { owner: this.#owner });
      keepSubscription(this.#core, this.#live, { request, response: notify });
      return this.#live;
    });
    this.#release = () => {
      this.#core.awaitingNotify.delete(key);
      releaseId();
    };
  }

  #onAnswer(answer: Answer): void {
    const { response, request, trace } = answer;
    if (response.status === 100) return;
    if (response.status >= 200 && response.status < 300) this.#onSuccess(answer);
    const [transaction, dialog] = [this.id, this.#dialogId];
    this.#core.user.onResponse({ transaction, dialog, message: response, trace });
    if (response.status < 200) return;
    this.#finish(request, response.status);
  }

  #onSuccess({ response, request, received }: Answer): void {
    if (request.method === 'SUBSCRIBE' && received) this.#subscribe(request, response, received);
    const live = this.#live;
    if (!live || !received) return;
    if (request.method === 'UPDATE' || request.method === 'SUBSCRIBE') {
      live.state = refreshTarget(live.state, response, received);
    }
    const localSdp = carriesSdp.has(request.method) ? sdpOf(request) : undefined;
    if (localSdp !== undefined) live.state = { ...live.state, localSdp };
    if (request.method === 'UPDATE') agreeAsClient(this.#core, live, response);
  }

  #subscribe(request: SipRequest, response: Answer['response'], received: Received): void {
    const isNew = !this.#live;
    if (isNew && tagOf(header(response, 'to') ?? '') !== undefined) {
      const state = uacDialog(request, response, received);
      this.#live = this.#core.dialogs.add(state, { owner: this.#owner });
    }
    if (this.#live?.state.kind !== 'subscribe') return;
    // An ended subscription gets one more NOTIFY (RFC 6665 §4.1.2.3).
    keepSubscription(this.#core, this.#live, { request, response });
  }

  #finish(request: SipRequest, status: number): void {
    const live = this.#live;
    this.#release();
    if (!live) return;
    mark(live, request.method, false);
    if (isEnd(live, request, status)) this.#core.dialogs.end(live);
  }
}

/** What is under way in the dialog. */
function mark(live: LiveDialog, method: string, isOn: boolean): void {
  if (method === 'UPDATE') live.hasClientUpdate = isOn;
  if (method === 'BYE') live.isLeaving = isOn;
}

/** What awaits a NOTIFY. */
export function notifyKey(callId: string | undefined, localTag: string | undefined): string {
  return `${callId} ${localTag}`;
}

/** True when the dialog is over with that response to a request of ours. */
function isEnd(live: LiveDialog, request: SipRequest, status: number): boolean {
  // A challenged BYE may be sent again (`drachtio-protocol.md` 6).
  if (request.method === 'BYE') return status !== 401 && status !== 407;
  if (live.state.kind !== 'subscribe') return false;
  if (status === 481 || status === 408) return true;
  return isLastNotify(live, request);
}

/** The dialog that a NOTIFY makes: its sender is the far end, and has put its routes into it. */
function notifiedDialog(subscribe: SipRequest, notify: SipRequest, received: Received) {
  const response = {
    kind: 'response' as const,
    status: 200,
    reason: 'OK',
    headers: notify.headers.map(({ name, value }) => ({ name: mirrored(name), value })),
    body: notify.body,
  };
  const state = uacDialog(subscribe, response, received);
  // §12.1.1: routes of a request are in order, those of a response are not.
  return { ...state, routeSet: state.routeSet.toReversed() };
}

/** From and To change places between a request and the response it stands for. */
function mirrored(name: string): string {
  if (/^(?:from|f)$/i.test(name)) return 'To';
  return /^(?:to|t)$/i.test(name) ? 'From' : name;
}
