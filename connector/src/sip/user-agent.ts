import type { Header, SipRequest, SipResponse } from './message/message.ts';
import type { ListenPoint, Protocol } from './transport/transport.ts';

/**
 * What the drachtio server (and any other user) needs of the SIP server: a transaction user in the
 * sense of RFC 3261 §5 whose transactions and dialogs are named by strings.
 */

/** Transaction id: UUID, one SIP transaction. */
export type TransactionId = string;
/** `<Call-ID>;from-tag=<tag>` of the initial request, in both directions; empty where there is none. */
export type DialogId = string;

/** How a message travelled, as the wire protocol's meta group wants it. */
export interface Trace {
  readonly source: 'network' | 'application';
  readonly sizeBytes: number;
  readonly protocol: Protocol | '';
  readonly address: string;
  readonly port: number;
  /** Wall clock, ms since the epoch. */
  readonly time: number;
}

/** A request for the application. */
export interface InboundRequest {
  readonly transaction: TransactionId;
  /** Empty when the request is not (yet) in a dialog. */
  readonly dialog: DialogId;
  readonly message: SipRequest;
  readonly trace: Trace;
  /** Set on new out-of-dialog requests only. */
  readonly local?: ListenPoint;
}

/** A response for the application to a request it sent. */
export interface InboundResponse {
  readonly transaction: TransactionId;
  readonly dialog: DialogId;
  readonly message: SipResponse;
  readonly trace: Trace;
}

/** The echo of what the server sent for the application: the complete message as on the wire. */
export interface Sent {
  readonly transaction: TransactionId;
  readonly dialog: DialogId;
  readonly text: Buffer;
  readonly trace: Trace;
}

/** What the application writes; headers the server owns (Via, Route, Content-Length …) are ignored. */
export interface RequestDraft {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export interface ResponseDraft {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

/** A command the server refuses; the text is what drachtio clients know (`drachtio-protocol.md` 4). */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** One forwarded copy of a request. */
export interface Branch {
  /** Cancels a forwarded INVITE; held until a provisional arrived (§9.1). Any other request: nothing. */
  cancel(): void;
}

/** How a copy is forwarded. */
export interface BranchOptions {
  /** URI that decides where to send; else the first Route (strict routes as §16.6 step 6 says), else the request-URI. */
  readonly nextHop?: string;
  /**
   * Every response of the branch, own Via taken off: 100 too, each 2xx of an INVITE with its
   * retransmissions (RFC 6026), and the 408 and 503 that the stack makes itself.
   */
  onResponse(response: SipResponse, trace: Trace): void;
}

/** A received request in the hands of a proxy (RFC 3261 §16): whole messages pass, not drafts. */
export interface Forwarding {
  /** As received, without the topmost Route if that named this server. */
  readonly message: SipRequest;
  /** That topmost Route value, as written (a Record-Route value of this server in a dialog). */
  readonly route?: string;
  readonly trace: Trace;
  readonly local: ListenPoint;
  /** Sends a copy with a new Via on top and all else as given, in a client transaction of its own; ACK without one. */
  forward(copy: SipRequest, options: BranchOptions): Branch;
  /** Sends a response upstream as given. 2xx to INVITE any number of times; ignored when the transaction is over. */
  reply(response: SipResponse): void;
  /** Forgets the request without an answer (a non-INVITE that timed out, RFC 4320 §4.2). */
  release(): void;
  /** Runs `task` when a CANCEL came from upstream, which the server has answered with 200; the INVITE is not yet answered. */
  onCancel(task: () => void): void;
}

/** Where the server delivers what comes from the network. Calls are synchronous and must not throw. */
export interface UserAgentUser {
  /**
   * A new request, or one in a dialog. ACK to a 2xx, PRACK and CANCEL arrive here as well (CANCEL and
   * the ACK of an initial INVITE carry the INVITE's transaction).
   */
  onRequest(request: InboundRequest): void;
  onResponse(response: InboundResponse): void;
  /** A request that the server made on its own in a dialog (BYE after no ACK, session expired …). */
  onServerRequest(request: Omit<InboundRequest, 'transaction'>): void;
  /** The dialog no longer exists in the server. */
  onDialogEnded(dialog: DialogId): void;
  /**
   * A request with a To tag whose topmost Route names this server, and which is in no dialog of it
   * (ACK too): for a proxy that record-routed earlier.
   */
  onRouted(forwarding: Forwarding): void;
  /** A dialog of an earlier process is back, before anything is delivered of it. */
  onDialogRestored?(dialog: DialogId, owner: string): void;
  /** The outcome of a request that an earlier process sent follows. */
  onRequestRestored?(transaction: TransactionId, owner: string): void;
}

/** `owner` names whose the dialog is that this makes; it is kept with the dialog in the journal. */
export interface Ownership {
  readonly owner?: string | undefined;
}

export interface UserAgent {
  readonly listenPoints: readonly ListenPoint[];
  /** Answers a request. Throws `Refusal`. */
  respond(
    transaction: TransactionId,
    response: ResponseDraft,
    ownership?: Ownership,
  ): Promise<Sent>;
  /** Sends a request outside of any dialog; `route` is the next hop URI, if not from the request-URI. */
  request(draft: RequestDraft, options?: Ownership & { route?: string }): Promise<Sent>;
  /** Sends a request (ACK, PRACK and BYE included) inside a dialog. */
  requestInDialog(dialog: DialogId, draft: RequestDraft): Promise<Sent>;
  /** Cancels an INVITE that was sent; held until a provisional arrived (§9.1). */
  cancel(transaction: TransactionId, headers: readonly Header[]): Promise<Sent>;
  /** Nobody acknowledges any more: a 2xx gets its ACK from the server, and a call that began with it its BYE. */
  forsake(dialog: DialogId): void;
  /** Ends a dialog of which nobody knows any more: BYE with that Reason; subscriptions are only forgotten. */
  endDialog(dialog: DialogId, reason: string): void;
  /**
   * Takes over a new, unanswered request to proxy it: from then on nothing of it is delivered to the
   * user, and the server itself sends only 100, the 200 to a CANCEL, and retransmissions. Throws `Refusal`.
   */
  proxy(transaction: TransactionId): Forwarding;
  close(): Promise<void>;
}
