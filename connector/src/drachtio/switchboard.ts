import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Refusals, refusalReasonOf } from '../sip/core/refusals.ts';
import { header } from '../sip/message/headers.ts';
import type { Header } from '../sip/message/message.ts';
import type {
  DialogId,
  Forwarding,
  InboundRequest,
  InboundResponse,
  TransactionId,
  UserAgent,
  UserAgentUser,
} from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import { EchoOrder } from './echo-order.ts';
import { Ledger } from './ledger.ts';
import { Registrations } from './registrations.ts';

/** How long another connection may still answer what a closed one left unanswered. */
const abandonedAfter = 4_000;

/** Methods that mean nothing outside of a dialog: 481 (RFC 3261 §15.1.2, RFC 3262 §3, RFC 3311 §5.2). */
const inDialogOnly = new Set(['BYE', 'UPDATE', 'PRACK']);

/** Applications are back within moments, after a start or a lost connection (RFC 3261 §20.33, seconds). */
const retryLater: Header[] = [{ name: 'Retry-After', value: '5' }];

/** Methods an application is expected to register for; nobody there is a 503, for others a 405. */
const offered = [
  'INVITE',
  'REGISTER',
  'MESSAGE',
  'OPTIONS',
  'INFO',
  'NOTIFY',
  'SUBSCRIBE',
  'PUBLISH',
];

const allowed = [...offered, 'ACK', 'BYE', 'CANCEL', 'PRACK', 'REFER', 'UPDATE'].join(', ');

/** Dialogs begin with these (RFC 3261 §12, RFC 6665 §4.2). */
export const dialogMakers: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE']);

const reasons = {
  200: 'OK',
  400: 'Bad Request',
  405: 'Method Not Allowed',
  481: 'Call/Transaction Does Not Exist',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
} as const;

/** What a switchboard needs. `onRouted` takes in-dialog requests for a proxy. */
export interface SwitchboardOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onRouted: (forwarding: Forwarding) => void;
  /** The application of a name that a journal has kept; undefined where it is none. */
  readonly named?: (name: string) => Application | undefined;
}

/** Decides which application gets what comes from the network, and answers where none is there. */
export class Switchboard implements UserAgentUser {
  readonly ledger: Ledger;
  readonly registrations = new Registrations();
  readonly echoes = new EchoOrder();
  /** What was answered because no application took it. */
  readonly refusals = new Refusals();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onRouted: (forwarding: Forwarding) => void;
  readonly #named: (name: string) => Application | undefined;
  readonly #graces = new Set<Timer>();
  #userAgent: UserAgent | undefined;
  #isClosed = false;

  constructor(options: SwitchboardOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onRouted = options.onRouted;
    this.#named = options.named ?? (() => undefined);
    this.ledger = new Ledger(() => options.clock.now());
  }

  /** The user agent that this is the user of; it is made after its user. */
  connect(userAgent: UserAgent): void {
    this.#userAgent = userAgent;
  }

  onRequest(request: InboundRequest): void {
    this.echoes.run(callIdOf(request.message), () => {
      if (request.message.method === 'CANCEL') this.#onCancel(request);
      else if (request.dialog !== '') this.#onInDialog(request);
      else this.#onNew(request);
    });
  }

  onResponse(response: InboundResponse): void {
    const { message, transaction } = response;
    // Clients must never see a 100 (`drachtio-protocol.md` 12.13).
    if (message.status === 100) return;
    this.echoes.run(callIdOf(message), () => {
      const sender = this.ledger.senderOf(transaction, message.status >= 200);
      sender?.notify({ kind: 'response', response });
    });
  }

  onServerRequest(request: Omit<InboundRequest, 'transaction'>): void {
    this.echoes.run(callIdOf(request.message), () => {
      this.ledger.ownerOf(request.dialog)?.notify({ kind: 'server-request', request });
    });
  }

  onDialogEnded(dialog: DialogId): void {
    this.echoes.run(callIdOfDialog(dialog), () => {
      this.ledger.settleInvites(dialog);
      this.ledger.disown(dialog);
    });
  }

  onRouted(forwarding: Forwarding): void {
    this.#onRouted(forwarding);
  }

  onDialogRestored(dialog: DialogId, owner: string): void {
    const application = this.#named(owner);
    if (application) this.ledger.own(dialog, application);
  }

  onRequestRestored(transaction: TransactionId, owner: string): void {
    const application = this.#named(owner);
    if (application) this.ledger.sent(transaction, application);
  }

  /** Answers for an application that is not there. */
  answer(request: InboundRequest, status: 200 | 503): void {
    this.#answer(request, status, status === 503 ? retryLater : []);
  }

  /** An application went away: what it left unanswered is answered for it, unless another one takes over. */
  onGone(application: Application): void {
    this.registrations.removeAll(application);
    if (this.#isClosed || this.ledger.offersTo(application).length === 0) return;
    const grace = this.#clock.after(abandonedAfter, () => {
      this.#graces.delete(grace);
      for (const { request } of this.ledger.offersTo(application)) {
        if (request.dialog === '') this.#answer(request, 503, retryLater);
        else this.#answer(request, 500);
      }
    });
    this.#graces.add(grace);
  }

  close(): void {
    this.#isClosed = true;
    for (const grace of this.#graces) grace.cancel();
    this.#graces.clear();
  }

  /** The INVITE has its 487 from the server; the application is told under the INVITE's name. */
  #onCancel(request: InboundRequest): void {
    const offer = this.ledger.offerOf(request.transaction);
    this.ledger.settle(request.transaction);
    // A cancelled re-INVITE leaves its dialog, and the dialog its owner.
    if (offer?.request.dialog === '') this.ledger.disown(request.dialog);
    offer?.application.notify({ kind: 'request', request });
  }

  #onInDialog(request: InboundRequest): void {
    const owner = this.ledger.ownerOf(request.dialog);
    if (request.message.method === 'ACK') {
      owner?.notify({ kind: 'request', request });
    } else if (owner) {
      this.#offer(request, owner);
    } else {
      // As the reference does for dialogs whose application went away.
      this.#answer(request, 481);
    }
  }

  #onNew(request: InboundRequest): void {
    const { method } = request.message;
    if (method === 'ACK') return;
    if (inDialogOnly.has(method)) {
      this.#answer(request, 481);
      return;
    }
    // Fields of the wire protocol are not escaped, and no Call-ID or tag may hold this (RFC 3261 §25.1).
    if (callIdOf(request.message).includes('|')) {
      this.#answer(request, 400);
      return;
    }
    const application = this.registrations.next(method.toLowerCase());
    if (application) this.#offer(request, application);
    else if (offered.includes(method)) this.#answer(request, 503, retryLater);
    else this.#answer(request, 405, [{ name: 'Allow', value: allowed }]);
  }

  #offer(request: InboundRequest, application: Application): void {
    this.ledger.offer(request, application);
    application.notify({ kind: 'request', request });
  }

  #answer(request: InboundRequest, status: keyof typeof reasons, headers: Header[] = []): void {
    if (status >= 300)
      this.refusals.count(status >= 500 ? 'no-application' : refusalReasonOf(status));
    this.ledger.settle(request.transaction);
    this.#respond(request.transaction, status, headers).catch((error: unknown) => {
      this.#log.debug({ status, error: messageOf(error) }, 'request was over before its answer');
    });
  }

  async #respond(
    transaction: TransactionId,
    status: keyof typeof reasons,
    headers: Header[],
  ): Promise<void> {
    const draft = { status, reason: reasons[status], headers, body: Buffer.alloc(0) };
    await this.#userAgent?.respond(transaction, draft);
  }
}

/** The Call-ID in a dialog's name. */
export function callIdOfDialog(dialog: DialogId): string {
  const at = dialog.lastIndexOf(';from-tag=');
  return at < 0 ? dialog : dialog.slice(0, at);
}

/** Empty where there is none, which a parsed message never lacks. */
export function callIdOf(message: { readonly headers: readonly Header[] }): string {
  return header(message, 'call-id') ?? '';
}
