import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Authorise, Core, Resolve } from './core/core.ts';
import { DialogStore } from './core/dialog-store.ts';
import { Gatekeeper, type InboundAuth } from './core/gatekeeper.ts';
import { Ids } from './core/ids.ts';
import { abandon } from './core/in-dialog.ts';
import { Inbound } from './core/inbound.ts';
import { LargeRequests } from './core/large-requests.ts';
import { sendRequest, sendRequestInDialog } from './core/outbound.ts';
import { OwnAddresses } from './core/own-address.ts';
import { isRouted, Proxied } from './core/proxied.ts';
import { Refusals, refusalReasonOf } from './core/refusals.ts';
import { restore } from './core/restore.ts';
import { ScopedClock } from './core/scoped-clock.ts';
import { type Accepts, Strangers } from './core/strangers.ts';
import type { Dialog } from './dialog/dialog.ts';
import type { DropReason } from './guard/source-guard.ts';
import { type Journal, noJournal } from './journal/journal.ts';
import type { Header } from './message/message.ts';
import { errorResponse, type ParseError } from './message/parse-error.ts';
import { serialize } from './message/serialize.ts';
import { TransactionLayer, type TransactionLayerUser } from './transaction/layer.ts';
import type { ServerTransaction } from './transaction/server-transaction.ts';
import type { TimerValues } from './transaction/timers.ts';
import type {
  ListenPoint,
  Received,
  Remote,
  Transport,
  TransportUser,
} from './transport/transport.ts';
import {
  type DialogId,
  type Forwarding,
  type Ownership,
  Refusal,
  type RequestDraft,
  type ResponseDraft,
  type Sent,
  type TransactionId,
  type UserAgent,
  type UserAgentUser,
} from './user-agent.ts';

export interface UserAgentParts {
  readonly transport: Transport;
  readonly resolve: Resolve;
  readonly clock: Clock;
  /** Numbers in [0, 1) that nobody can guess: tags, branches and Call-IDs are made of them. */
  readonly random: () => number;
  readonly log: Log;
  readonly user: UserAgentUser;
  /** Where dialogs and transactions are kept for a later process; nowhere where absent. */
  readonly journal?: Journal;
  readonly options: UserAgentOptions;
}

export interface UserAgentOptions {
  readonly timers: TimerValues;
  /** New requests beyond these get 503. */
  readonly maxServerTransactions: number;
  readonly maxDialogs: number;
  /** Asked of everything new but OPTIONS; without it every source may call. */
  readonly auth?: InboundAuth;
  /** Credentials for refreshes and BYEs of the server's own; none where absent. */
  readonly authorise?: Authorise;
  /** Asked before all else; what is not accepted gets no answer. */
  readonly accepts?: Accepts;
  /** Sources that are never limited or blocked; none where absent. */
  readonly trusts?: Accepts;
  /** Asked for each new request; parts of the User-Agent in lower case. */
  readonly scanners?: () => readonly string[];
}

/** What is under way; all 0 when nothing is. */
export interface UserAgentLoad {
  readonly transactions: number;
  readonly dialogs: number;
  /** Requests that the application has not finally answered, INVITEs until their ACK. */
  readonly unanswered: number;
}

/** A user agent, and where its transport delivers to. */
export interface RunningUserAgent extends UserAgent, TransportUser {
  /** All there are, forks each. */
  dialogs(): readonly DialogView[];
  load(): UserAgentLoad;
  /** Takes up what the journal found. To be called once, before any message of a peer is taken. */
  restore(): void;
  /** Messages since the start from where none are accepted. */
  strangers(): number;
  /** Requests since the start that no application was asked about, by why. */
  readonly refusals: Refusals;
  /** Messages since the start that got no answer, by why. */
  drops(): Readonly<Record<DropReason, number>>;
}

/** What can be told of a dialog. */
export interface DialogView
  extends Pick<
    Dialog,
    | 'id'
    | 'role'
    | 'kind'
    | 'phase'
    | 'callId'
    | 'localTag'
    | 'remoteTag'
    | 'localContact'
    | 'remoteTarget'
    | 'localSdp'
  > {
  /** Wall clock, ms since the epoch. */
  readonly createdAt: number;
  /** The application that comes back under that name. */
  readonly owner?: string;
}

/** Puts transactions and dialogs between a transport and its user. */
export function createUserAgent(parts: UserAgentParts): RunningUserAgent {
  return new CoreUserAgent(parts);
}

class CoreUserAgent implements RunningUserAgent {
  readonly refusals = new Refusals();
  readonly #core: Core;
  readonly #clock: ScopedClock;
  readonly #strangers: Strangers;
  #isClosed = false;

  constructor(parts: UserAgentParts) {
    const { transport, resolve, clock, random, log, user, options } = parts;
    const { journal = noJournal } = parts;
    this.#clock = new ScopedClock(clock);
    // The layer and its user need each other.
    const arrivals: { user?: TransactionLayerUser } = {};
    this.#core = {
      transport,
      resolve,
      clock: this.#clock,
      log,
      user,
      timers: options.timers,
      ids: new Ids(random),
      own: new OwnAddresses(transport.listenPoints),
      authorise: options.authorise ?? (() => () => undefined),
      refusals: this.refusals,
      large: new LargeRequests(transport, this.#clock),
      layer: new TransactionLayer({
        transport,
        clock: this.#clock,
        timers: options.timers,
        maxServerTransactions: options.maxServerTransactions,
        journal,
        onRefused: (status) => this.refusals.count(refusalReasonOf(status)),
        user: {
          onRequest: (server, received) => arrivals.user?.onRequest(server, received),
          onAck: (ack, received) => arrivals.user?.onAck(ack, received),
          onStray: (response, received) => arrivals.user?.onStray(response, received),
        },
      }),
      dialogs: new DialogStore({
        clock: this.#clock,
        journal,
        onEnded: (id) => user.onDialogEnded(id),
      }),
      journal,
      answerables: new Map(),
      cancellables: new Map(),
      lostInvites: new Map(),
      awaitingNotify: new Map(),
    };
    this.#strangers = new Strangers(this.#core, {
      accepts: options.accepts ?? everybody,
      trusts: options.trusts ?? nobody,
      scanners: options.scanners,
    });
    arrivals.user = new Inbound(this.#core, {
      isFull: () => this.#core.dialogs.size >= options.maxDialogs,
      gatekeeper:
        options.auth &&
        new Gatekeeper(options.auth, this.#core, (remote) => this.#strangers.hasFailed(remote)),
      routed: (server, received) => this.#routed(server, received),
    });
  }

  get listenPoints(): readonly ListenPoint[] {
    return this.#core.transport.listenPoints;
  }

  load(): UserAgentLoad {
    const { layer, dialogs, answerables } = this.#core;
    return { transactions: layer.size, dialogs: dialogs.ids, unanswered: answerables.size };
  }

  dialogs(): readonly DialogView[] {
    return this.#core.dialogs.all().map(({ state, createdAt, owner }) => ({
      id: state.id,
      role: state.role,
      kind: state.kind,
      phase: state.phase,
      callId: state.callId,
      localTag: state.localTag,
      remoteTag: state.remoteTag,
      localContact: state.localContact,
      remoteTarget: state.remoteTarget,
      ...(state.localSdp !== undefined && { localSdp: state.localSdp }),
      createdAt,
      ...(owner !== undefined && { owner }),
    }));
  }

  restore(): void {
    restore(this.#core);
  }

  strangers(): number {
    return this.#strangers.count;
  }

  drops(): Readonly<Record<DropReason, number>> {
    return this.#strangers.drops;
  }

  onMessage(received: Received): void {
    if (this.#isClosed || this.#strangers.turnAway(received)) return;
    this.#core.layer.receive(received);
  }

  onMalformed(parseError: ParseError, remote: Remote): void {
    if (this.#strangers.turnAwayMalformed(remote)) return;
    const response = errorResponse(parseError, this.#core.ids.tag());
    if (!response || this.#isClosed) return;
    const sent = this.#core.transport.send(serialize(response), remote);
    sent.catch(() => undefined);
  }

  async respond(
    transaction: TransactionId,
    draft: ResponseDraft,
    ownership: Ownership = {},
  ): Promise<Sent> {
    if (/^\s*\d+\s+CANCEL\s*$/i.test(cseqOf(draft.headers))) {
      throw new Refusal('200 OK to incoming CANCEL is automatically generated by the stack');
    }
    if (!(draft.status >= 100 && draft.status < 700)) {
      throw new Refusal('Unknown server error sending response');
    }
    const answerable = this.#core.answerables.get(transaction);
    if (!answerable) throw new Refusal('Response not sent due to unknown transaction');
    return answerable.respond(draft, ownership);
  }

  async request(draft: RequestDraft, options: Ownership & { route?: string } = {}): Promise<Sent> {
    this.#checkOpen();
    return sendRequest(this.#core, draft, options);
  }

  async requestInDialog(dialog: DialogId, draft: RequestDraft): Promise<Sent> {
    this.#checkOpen();
    return sendRequestInDialog(this.#core, dialog, draft);
  }

  async cancel(transaction: TransactionId, headers: readonly Header[]): Promise<Sent> {
    const cancellable = this.#core.cancellables.get(transaction);
    if (!cancellable) {
      throw new Refusal(`unable to cancel unknown transaction id: ${transaction}`);
    }
    return cancellable.cancel(headers);
  }

  forsake(dialog: DialogId): void {
    for (const fork of this.#core.dialogs.forksOf(dialog)) fork.unacknowledged?.forsake();
  }

  endDialog(dialog: DialogId, reason: string): void {
    for (const fork of this.#core.dialogs.forksOf(dialog)) abandon(this.#core, fork, reason);
  }

  proxy(transaction: TransactionId): Forwarding {
    const answerable = this.#core.answerables.get(transaction);
    // Once the application has answered, the server is an end of the call.
    if (!answerable || answerable.isInDialog || answerable.server.status > 100) {
      throw new Refusal(`Unknown transaction id: ${transaction}`);
    }
    answerable.hand();
    const { server, received } = answerable;
    return new Proxied(this.#core, { request: server.request, received, server });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#core.layer.close();
    this.#core.dialogs.close();
    this.#core.answerables.clear();
    this.#core.cancellables.clear();
    this.#core.awaitingNotify.clear();
    this.#clock.cancelAll();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Refusal('server is shutting down');
  }

  #routed(server: ServerTransaction | undefined, received: Received): boolean {
    const { message } = received;
    if (message.kind !== 'request' || !isRouted(message, this.#core.own)) return false;
    this.#core.user.onRouted(new Proxied(this.#core, { request: message, received, server }));
    return true;
  }
}

function everybody(): boolean {
  return true;
}

function nobody(): boolean {
  return false;
}

function cseqOf(headers: readonly Header[]): string {
  return headers.find((each) => /^cseq$/i.test(each.name))?.value ?? '';
}
