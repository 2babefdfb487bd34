import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Journal } from '../journal/journal.ts';
import { header } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import { serialize } from '../message/serialize.ts';
import { branchOf } from '../message/via.ts';
import type { Received, Remote, Transport } from '../transport/transport.ts';
import { ClientTransaction, type ClientTransactionUser } from './client-transaction.ts';
import { clientKey, clientKeyOf, mergeKey, serverKey, topVia } from './key.ts';
import { type ServerRecord, serverRecord, serverRecordKey } from './server-record.ts';
import { responseRemote, ServerTransaction } from './server-transaction.ts';
import type { TimerValues } from './timers.ts';

/** The layer above. Calls are synchronous and must not throw. */
export interface TransactionLayerUser {
  /** A new request, CANCEL included; it must be answered through its transaction. */
  onRequest(transaction: ServerTransaction, received: Received): void;
  /** An ACK that belongs to no failed INVITE: it is for a 2xx. */
  onAck(ack: SipRequest, received: Received): void;
  /** A response of no known transaction, such as a late 2xx. */
  onStray(response: SipResponse, received: Received): void;
}

export interface TransactionLayerParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly user: TransactionLayerUser;
  readonly journal: Journal;
  /** Server transactions at one time; requests beyond get 503 without a transaction. */
  readonly maxServerTransactions: number;
  /** Told the status of each request that was refused without a transaction. */
  readonly onRefused?: (status: number) => void;
}

/** All transactions, found by the rules of RFC 3261 §17.1.3 and §17.2.3. */
export class TransactionLayer {
  readonly #parts: TransactionLayerParts;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** Server transactions by what merged copies of their request have in common. */
  readonly #merges = new Map<string, ServerTransaction>();

  constructor(parts: TransactionLayerParts) {
    this.#parts = parts;
  }

  /** Client and server transactions that are not over. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  receive(received: Received): void {
    const { message } = received;
    if (message.kind === 'response') this.#receiveResponse(message, received);
    else if (message.method === 'ACK') this.#receiveAck(message, received);
    else this.#receiveRequest(message, received);
  }

  /** Sends a request, whose topmost Via holds a new branch. */
  send(request: SipRequest, remote: Remote, user: ClientTransactionUser): ClientTransaction {
    const via = topVia(request);
    const key = clientKey((via && branchOf(via)) ?? '', request.method);
    const { transport, clock, timers } = this.#parts;
    const transaction = new ClientTransaction(request, remote, {
      transport,
      clock,
      timers,
      user,
      onGone: () => void this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** A server transaction of an earlier process, with what it sent last. */
  restore(request: SipRequest, record: ServerRecord): ServerTransaction | undefined {
    const key = serverKey(request);
    if (key === undefined || this.#servers.has(key)) return undefined;
    const { remote, local } = record;
    const received: Received = { message: request, remote, local, sizeBytes: record.sizeBytes };
    const transaction = this.#add(key, request, received);
    if (record.last) {
      transaction.resume(record.last.status, Buffer.from(record.last.text, 'latin1'));
    }
    return transaction;
  }

  /** The transaction of the INVITE that a CANCEL is for (§9.2). */
  inviteOf(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, 'INVITE') ?? '');
  }

  /** True for what belongs to a transaction that is: a repetition, or the ACK or CANCEL of an INVITE. */
  knows(request: SipRequest): boolean {
    const isOfInvite = request.method === 'ACK' || request.method === 'CANCEL';
    const keys = [serverKey(request), isOfInvite ? serverKey(request, 'INVITE') : undefined];
    return keys.some((key) => key !== undefined && this.#servers.has(key));
  }

  /** Ends all of them; nobody is told. */
  close(): void {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) {
      transaction.abandon();
    }
  }

  #receiveResponse(response: SipResponse, received: Received): void {
    const transaction = this.#clients.get(clientKeyOf(response) ?? '');
    if (transaction) transaction.receive(response, received);
    else this.#parts.user.onStray(response, received);
  }

  #receiveAck(ack: SipRequest, received: Received): void {
    const transaction = this.#servers.get(serverKey(ack, 'INVITE') ?? '');
    if (transaction) transaction.acknowledge(received);
    else this.#parts.user.onAck(ack, received);
  }

  #receiveRequest(request: SipRequest, received: Received): void {
    const key = serverKey(request);
    if (key === undefined) return;
    const known = this.#servers.get(key);
    if (known) {
      known.repeat();
    } else if (this.#servers.size >= this.#parts.maxServerTransactions) {
      this.#refuse(request, received, [503, 'Service Unavailable']);
    } else {
      this.#begin(key, request, received);
    }
  }

  #begin(key: string, request: SipRequest, received: Received): void {
    const merge = request.method === 'CANCEL' ? undefined : mergeKey(request);
    const other = merge === undefined ? undefined : this.#merges.get(merge);
    if (other && other.status < 300) {
      // §8.2.2.2: the same request over another way. One that failed may be tried again.
      this.#refuse(request, received, [482, 'Loop Detected']);
      return;
    }
    const transaction = this.#add(key, request, received);
    this.#parts.user.onRequest(transaction, received);
    // What is answered at once is on record by now, as is what can be asked again without harm.
    if (transaction.status === 0 && transaction.user.dialog) transaction.note();
  }

  #add(key: string, request: SipRequest, received: Received): ServerTransaction {
    const merge = request.method === 'CANCEL' ? undefined : mergeKey(request);
    const { transport, clock, timers, user, journal } = this.#parts;
    const recordKey = serverRecordKey(key);
    let isGone = false;
    const transaction: ServerTransaction = new ServerTransaction(request, received, {
      transport,
      clock,
      timers,
      onAck: (ack) => {
        if (ack.message.kind === 'request') user.onAck(ack.message, ack);
      },
      onChange: (last) => {
        if (isGone) return;
        journal.put(recordKey, serverRecord(transaction, { received, last }));
      },
      onGone: () => {
        isGone = true;
        journal.remove(recordKey);
        this.#servers.delete(key);
        if (merge !== undefined && this.#merges.get(merge) === transaction) {
          this.#merges.delete(merge);
        }
      },
    });
    this.#servers.set(key, transaction);
    if (merge !== undefined) this.#merges.set(merge, transaction);
    return transaction;
  }

  /** Answers without keeping anything (§8.2.7): the To tag follows from the request. */
  #refuse(request: SipRequest, received: Received, [status, reason]: [number, string]): void {
    this.#parts.onRefused?.(status);
    const response: SipResponse = {
      kind: 'response',
      status,
      reason,
      headers: [
        ...request.headers.filter((each) => /^(?:via|v)$/i.test(each.name)),
        { name: 'From', value: header(request, 'from') ?? '' },
        { name: 'To', value: toWithTag(request) },
        { name: 'Call-ID', value: header(request, 'call-id') ?? '' },
        { name: 'CSeq', value: header(request, 'cseq') ?? '' },
      ],
      body: Buffer.alloc(0),
    };
    this.#parts.transport
      .send(serialize(response), responseRemote(request, received.remote))
      .catch(() => undefined);
  }
}

function toWithTag(request: SipRequest): string {
  const to = header(request, 'to') ?? '';
  if (tagOf(to) !== undefined) return to;
  const seed = `${header(request, 'call-id')} ${header(request, 'cseq')} ${topVia(request)?.host}`;
  return `${to};tag=${createHash('sha256').update(seed).digest('hex').slice(0, 16)}`;
}
