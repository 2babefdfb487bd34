import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Journal } from '../journal/journal.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import type { SipUri } from '../message/uri.ts';
import type { Resolution } from '../resolve/resolve.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { TimerValues } from '../transaction/timers.ts';
import type { Received, Transport } from '../transport/transport.ts';
import type {
  Ownership,
  ResponseDraft,
  Sent,
  TransactionId,
  UserAgentUser,
} from '../user-agent.ts';
import type { DialogStore } from './dialog-store.ts';
import type { Ids } from './ids.ts';
import type { LargeRequests } from './large-requests.ts';
import type { LiveDialog } from './live-dialog.ts';
import type { LostInvite } from './lost-invite.ts';
import type { OwnAddresses } from './own-address.ts';
import type { Refusals } from './refusals.ts';

/** Addresses of a SIP URI in the order to be tried (RFC 3263), or why there are none; never rejects. */
export type Resolve = (uri: SipUri) => Promise<Resolution>;

/** A request from the network that the application can answer. */
export interface Answerable {
  readonly server: ServerTransaction;
  readonly received: Received;
  readonly isInDialog: boolean;
  /** Throws `Refusal`. */
  respond(draft: ResponseDraft, ownership?: Ownership): Promise<Sent>;
  /** Lets go of it without a response: a proxy has it now. */
  hand(): void;
}

/** An INVITE of the application that can be cancelled. */
export interface Cancellable {
  cancel(headers: readonly Header[]): Promise<Sent>;
}

/**
 * Begins a request of the server's own that may be challenged. What it gives is asked for each 401 and
 * 407, and answers with the credentials of the next try; undefined where there is none to be made.
 */
export type Authorise = () => (
  challenge: SipResponse,
  request: SipRequest,
) => readonly Header[] | undefined;

/** What every part of the user agent works with. */
export interface Core {
  readonly transport: Transport;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly log: Log;
  readonly user: UserAgentUser;
  readonly timers: TimerValues;
  readonly ids: Ids;
  readonly own: OwnAddresses;
  readonly authorise: Authorise;
  readonly refusals: Refusals;
  readonly layer: TransactionLayer;
  readonly large: LargeRequests;
  readonly dialogs: DialogStore;
  /** What a later process begins with. */
  readonly journal: Journal;
  /** Requests from the network without a final response, and INVITEs whose 2xx has no ACK. */
  readonly answerables: Map<TransactionId, Answerable>;
  /** INVITEs of the application without a final response. */
  readonly cancellables: Map<TransactionId, Cancellable>;
  /** INVITEs that an earlier process sent and that had no final response, by Call-ID and local tag. */
  readonly lostInvites: Map<string, LostInvite>;
  /** SUBSCRIBEs that await their first NOTIFY, by Call-ID and local tag (RFC 6665 §4.1.2.4). */
  readonly awaitingNotify: Map<string, (notify: SipRequest, received: Received) => LiveDialog>;
}
