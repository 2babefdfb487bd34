import type { DialogId, InboundRequest, TransactionId } from '../sip/user-agent.ts';
import type { Application } from './application.ts';

/** A request an application has been given and has not finally answered. */
export interface Offer {
  /** Who has it in hand. */
  application: Application;
  readonly request: InboundRequest;
}

interface Entry<T> {
  readonly value: T;
  readonly since: number;
}

/** Who has which dialog and which transaction (`drachtio-protocol.md` 7). */
export class Ledger {
  readonly #owners = new Map<DialogId, Application>();
  readonly #offers: Aging<Offer>;
  readonly #senders: Aging<Application>;

  constructor(now: () => number) {
    this.#offers = new Aging(now);
    this.#senders = new Aging(now);
  }

  /** The application that gets the requests of a dialog. A dialog whose application went away has none. */
  ownerOf(dialog: DialogId): Application | undefined {
    const owner = this.#owners.get(dialog);
    return owner?.isOpen ? owner : undefined;
  }

  own(dialog: DialogId, application: Application): void {
    if (dialog !== '') this.#owners.set(dialog, application);
  }

  dialogsOf(application: Application): DialogId[] {
    return [...this.#owners].filter(([, owner]) => owner === application).map(([dialog]) => dialog);
  }

  disown(dialog: DialogId): void {
    this.#owners.delete(dialog);
  }

  /** An offer of the same transaction stays: an early UPDATE comes under the name of its INVITE. */
  offer(request: InboundRequest, application: Application): void {
    if (!this.#offers.get(request.transaction)) {
      this.#offers.set(request.transaction, { application, request });
    }
  }

  offerOf(transaction: TransactionId): Offer | undefined {
    return this.#offers.get(transaction);
  }

  settle(transaction: TransactionId): void {
    this.#offers.delete(transaction);
  }

  /** A dialog has ended, and the server has answered the re-INVITE in it. */
  settleInvites(dialog: DialogId): void {
    for (const { request } of this.#offers.values())
      if (request.dialog === dialog && request.message.method === 'INVITE')
        this.settle(request.transaction);
  }

  offersTo(application: Application): Offer[] {
    return this.#offers.values().filter((each) => each.application === application);
  }

  sent(transaction: TransactionId, application: Application): void {
    this.#senders.set(transaction, application);
  }

  /** Requests of that application without a final response. */
  sentBy(application: Application): TransactionId[] {
    return this.#senders
      .entries()
      .filter(([, sender]) => sender === application)
      .map(([transaction]) => transaction);
  }

  /** It has dialogs, or something to answer or to be answered. */
  isBusy(application: Application): boolean {
    for (const owner of this.#owners.values()) if (owner === application) return true;
    return this.offersTo(application).length > 0 || this.sentBy(application).length > 0;
  }

  /** Who sent the request of that transaction; forgotten after its final response. */
  senderOf(transaction: TransactionId, isFinal: boolean): Application | undefined {
    const sender = this.#senders.get(transaction);
    if (isFinal) this.#senders.delete(transaction);
    return sender;
  }
}

/** Longer than any call rings. What is left behind after that lost its end and goes. */
const longestTransaction = 60 * 60_000;

/** A map that forgets entries which nobody took out in time. */
class Aging<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: T): void {
    const now = this.#now();
    // Insertion order is age.
    for (const [oldest, { since }] of this.#entries) {
      if (now - since < longestTransaction) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, since: now });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  values(): T[] {
    return [...this.#entries.values()].map((entry) => entry.value);
  }

  entries(): [string, T][] {
    return [...this.#entries].map(([key, entry]) => [key, entry.value]);
  }
}
