import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { parseCSeq } from '../sip/message/cseq.ts';
import { header } from '../sip/message/headers.ts';
import {
  Refusal,
  type RequestDraft,
  type ResponseDraft,
  type UserAgent,
} from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import type { Order } from './command.ts';
import type { Reply } from './reply.ts';
import { callIdOf, callIdOfDialog, dialogMakers, type Switchboard } from './switchboard.ts';

/** Orders that send a message. */
export type SipOrder = Extract<
  Order,
  { kind: 'respond' | 'request' | 'request-in-dialog' | 'cancel' }
>;

export interface ExecutionOptions {
  readonly userAgent: UserAgent;
  readonly switchboard: Switchboard;
  readonly log: Log;
  /** A text that never came before. */
  readonly newId: () => string;
}

/** Carries out what applications send, and answers each command once. */
export class Execution {
  readonly #userAgent: UserAgent;
  readonly #switchboard: Switchboard;
  readonly #log: Log;
  readonly #newId: () => string;

  constructor(options: ExecutionOptions) {
    this.#userAgent = options.userAgent;
    this.#switchboard = options.switchboard;
    this.#log = options.log;
    this.#newId = options.newId;
  }

  /** Resolves when the command has been answered; never rejects. */
  async run(application: Application, command: string, order: SipOrder): Promise<void> {
    const named = order.kind === 'request' ? { ...order, draft: this.#named(order.draft) } : order;
    const release = this.#switchboard.echoes.hold(this.#callIdOf(named));
    try {
      application.reply(command, await this.#send(application, named));
    } catch (error) {
      application.reply(command, { kind: 'nok', reason: this.#reasonOf(order, error) });
    } finally {
      release();
    }
  }

  async #send(application: Application, order: SipOrder): Promise<Reply> {
    switch (order.kind) {
      case 'respond':
        return this.#respond(application, order);
      case 'request':
        return this.#request(application, order);
      case 'request-in-dialog':
        return this.#requestInDialog(application, order);
      case 'cancel': {
        const sent = await this.#userAgent.cancel(order.transaction, order.headers);
        return { kind: 'request-sent', sent };
      }
    }
  }

  async #respond(
    application: Application,
    { transaction, draft }: Extract<SipOrder, { kind: 'respond' }>,
  ): Promise<Reply> {
    const { ledger } = this.#switchboard;
    const offer = ledger.offerOf(transaction);
    // Another connection may answer; it takes over what a closed one left behind.
    if (offer && !offer.application.isOpen) offer.application = application;
    const sent = await this.#userAgent.respond(transaction, draft, {
      owner: offer?.application.identity,
    });
    const isOwnAnswer = offer !== undefined && answers(draft, offer.request.message.method);
    if (isOwnAnswer && draft.status >= 200) ledger.settle(transaction);
    if (isOwnAnswer && offer.request.dialog === '') {
      if (draft.status >= 300) ledger.disown(sent.dialog);
      else ledger.own(sent.dialog, offer.application);
    }
    return { kind: 'response-sent', sent };
  }

  async #request(
    application: Application,
    { draft, route }: Extract<SipOrder, { kind: 'request' }>,
  ): Promise<Reply> {
    const sent = await this.#userAgent.request(draft, {
      owner: application.identity,
      ...(route !== undefined && { route }),
    });
    this.#switchboard.ledger.sent(sent.transaction, application);
    if (dialogMakers.has(draft.method)) this.#switchboard.ledger.own(sent.dialog, application);
    return { kind: 'request-sent', sent };
  }

  async #requestInDialog(
    application: Application,
    { dialog, draft }: Extract<SipOrder, { kind: 'request-in-dialog' }>,
  ): Promise<Reply> {
    const sent = await this.#userAgent.requestInDialog(dialog, draft);
    if (draft.method !== 'ACK') this.#switchboard.ledger.sent(sent.transaction, application);
    return { kind: 'request-sent', sent };
  }

  /** The call must have its name before it is sent, for `EchoOrder`. */
  #named(draft: RequestDraft): RequestDraft {
    if (callIdOf(draft) !== '') return draft;
    return { ...draft, headers: [...draft.headers, { name: 'Call-ID', value: this.#newId() }] };
  }

  #callIdOf(order: SipOrder): string {
    if (order.kind === 'request') return callIdOf(order.draft);
    if (order.kind === 'request-in-dialog') return callIdOfDialog(order.dialog);
    const offer = this.#switchboard.ledger.offerOf(order.transaction);
    return offer ? callIdOf(offer.request.message) : '';
  }

  #reasonOf(order: SipOrder, error: unknown): string {
    const text = error instanceof Refusal ? error.message : '';
    if (text === '') {
      this.#log.error({ order: order.kind, error: messageOf(error) }, 'command failed');
    }
    return refusalText(order.kind, text);
  }
}

/** Clients know refusals of in-dialog requests with a prefix, the others without (4.4, 4.5, 4.7). */
function refusalText(kind: SipOrder['kind'], text: string): string {
  if (kind === 'respond') return text || 'Unknown server error sending response';
  if (kind !== 'request-in-dialog') return text || 'Error creating sip transaction for uac request';
  const reason = text || 'Error creating sip transaction for request';
  return reason.startsWith('Server error: ') ? reason : `Server error: ${reason}`;
}

/** False for the answer to an early UPDATE, which comes under the transaction of the INVITE. */
function answers(draft: ResponseDraft, method: string): boolean {
  const cseq = parseCSeq(header(draft, 'cseq') ?? '');
  return cseq === undefined || cseq.method === method;
}
