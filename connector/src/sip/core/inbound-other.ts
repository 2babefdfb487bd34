import type { Timer } from '../../base/clock.ts';
import { dialogIdOf, refreshTarget, sdpOf, uasDialog } from '../dialog/dialog.ts';
import { header } from '../message/headers.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Received } from '../transport/transport.ts';
import type { Ownership, ResponseDraft, Sent, TransactionId } from '../user-agent.ts';
import { composeResponse, plainResponse } from './compose.ts';
import type { Answerable, Core } from './core.ts';
import type { EarlierRequest } from './earlier-request.ts';
import type { LiveDialog } from './live-dialog.ts';
import { contactOf } from './own-address.ts';
import { answerTimeout, sentOf } from './responding.ts';
import { agreeAsServer } from './session.ts';
import { keepSubscription } from './subscription.ts';

/** Requests of a dialog whose responses need a Contact: they refresh targets (RFC 3311, RFC 6665). */
const contactMethods = new Set(['SUBSCRIBE', 'UPDATE']);

/** Requests that may bring a new Contact of the peer's. */
const targetRefreshes = new Set(['NOTIFY', 'SUBSCRIBE', 'UPDATE']);

/** Requests whose offer is answered in the 2xx. */
const answersSdp = new Set(['PRACK', 'UPDATE']);

/** A request other than INVITE that waits for the application's answer. */
export class InboundOther implements Answerable {
  readonly id: TransactionId;
  readonly server: ServerTransaction;
  readonly received: Received;
  readonly #core: Core;
  #live: LiveDialog | undefined;
  readonly #toTag: string;
  readonly #guard: Timer;
  readonly #onAnswered: () => void;

  constructor(
    core: Core,
    given: {
      server: ServerTransaction;
      received: Received;
      live?: LiveDialog | undefined;
      onAnswered?: () => void;
      earlier?: EarlierRequest;
    },
  ) {
    this.id = given.earlier?.id ?? core.ids.uuid();
    this.server = given.server;
    this.received = given.received;
    this.#core = core;
    this.#live = given.live;
    this.#toTag = given.earlier?.toTag ?? core.ids.tag();
    this.#onAnswered = given.onAnswered ?? (() => undefined);
    this.#guard = core.clock.after(answerTimeout, () => this.refuse(500, 'Server Internal Error'));
    core.answerables.set(this.id, this);
    const { dialog, owner } = given.earlier ?? placeOf(given.live);
    this.server.user = { id: this.id, toTag: this.#toTag, dialog, owner };
  }

  get request(): SipRequest {
    return this.server.request;
  }

  get isInDialog(): boolean {
    return this.#live !== undefined;
  }

  async respond(draft: ResponseDraft, ownership: Ownership = {}): Promise<Sent> {
    const { method } = this.request;
    const session = method === 'UPDATE' ? this.#agree(draft) : [];
    const needsContact = contactMethods.has(method) && draft.status < 300;
    const response = composeResponse(this.request, draft, {
      local: this.server.local,
      toTag: this.#toTag,
      extra: session,
      ...(needsContact && { contact: this.#contact() }),
    });
    const dialog = this.#dialogOf();
    if (draft.status >= 200) this.#finish();
    const sent = this.server.respond(response);
    if (draft.status >= 200 && draft.status < 300) this.#onSuccess(response, ownership);
    return sentOf(this.#core, this, { dialog, sent });
  }

  /** Answers without the application; nothing happens if it has been answered. */
  refuse(status: number, reason: string, extra: readonly Header[] = []): void {
    if (!this.#core.answerables.has(this.id)) return;
    this.#finish();
    const draft = plainResponse(status, reason, extra);
    const parts = { local: this.server.local, toTag: this.#toTag };
    this.server.respond(composeResponse(this.request, draft, parts)).done.catch(() => undefined);
  }

  hand(): void {
    this.#finish();
  }

  #finish(): void {
    this.#guard.cancel();
    this.#core.answerables.delete(this.id);
    this.#onAnswered();
  }

  #contact(): string {
    return this.#live?.state.localContact || contactOf(this.server.local, this.request.uri);
  }

  /** A BYE has ended its dialog already (`drachtio-protocol.md` 4.4). */
  #dialogOf(): string {
    if (this.#live) return this.#live.isEnded ? '' : this.#live.id;
    return this.request.method === 'SUBSCRIBE' ? dialogIdOf(this.request) : '';
  }

  #agree(draft: ResponseDraft): readonly Header[] {
    if (!this.#live || draft.status < 200 || draft.status >= 300) return [];
    return agreeAsServer(this.#core, this.#live, { request: this.request, response: draft });
  }

  #onSuccess(response: SipResponse, ownership: Ownership): void {
    const { method } = this.request;
    if (method === 'SUBSCRIBE') this.#subscribe(response, ownership);
    const live = this.#live;
    if (!live || live.isEnded) return;
    if (targetRefreshes.has(method)) {
      live.state = refreshTarget(live.state, this.request, this.received);
    }
    const localSdp = answersSdp.has(method) ? sdpOf(response) : undefined;
    if (localSdp !== undefined) live.state = { ...live.state, localSdp };
    if (isLastNotify(live, this.request)) this.#core.dialogs.end(live);
  }

  #subscribe(response: SipResponse, { owner }: Ownership): void {
    this.#live ??= this.#core.dialogs.add(
      uasDialog(this.request, response, {
        received: this.received,
        localSequence: this.#core.ids.sequence(),
        contact: contactOf(this.server.local, this.request.uri),
      }),
      { owner },
    );
    if (this.#live.state.kind === 'subscribe') {
      keepSubscription(this.#core, this.#live, { request: this.request, response });
    }
  }
}

function placeOf(live: LiveDialog | undefined): Pick<EarlierRequest, 'dialog' | 'owner'> {
  return { dialog: live?.id ?? '', owner: live?.owner };
}

/** True for the NOTIFY, sent or received, that ends the dialog of a subscription (RFC 6665 §4.4.1). */
export function isLastNotify(live: LiveDialog, request: SipRequest): boolean {
  const state = header(request, 'subscription-state') ?? '';
  return (
    request.method === 'NOTIFY' &&
    live.state.kind === 'subscribe' &&
    /^\s*terminated\b/i.test(state)
  );
}
