import type { SipMessage, SipRequest } from '../message/message.ts';
import type { ParseError } from '../message/parse-error.ts';
import type { Protocol } from './protocol.ts';

export type { Protocol } from './protocol.ts';

/** Where a message came from or goes to; `connection` names the stream connection it came on. */
export interface Remote {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly connection?: string;
  /**
   * TLS only: the name that the peer is asked for and that its certificate must hold; the address
   * where absent.
   */
  readonly serverName?: string;
  /**
   * TLS only: what the peer's certificate proves, in lower case (DNS names, addresses, `sip:` URIs).
   * Absent where none was verified.
   */
  readonly peerNames?: readonly string[];
}

/** A bound socket address, and what peers are told instead of it. */
export interface ListenPoint {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /**
   * Address or host name for Via, Contact and Record-Route; the bound address where absent. An address of
   * the other family counts for nothing.
   */
  readonly externalHost?: string;
}

/** A message as it was received, `received` and `rport` already filled in its top Via (RFC 3581). */
export interface Received {
  readonly message: SipMessage;
  readonly remote: Remote;
  readonly local: ListenPoint;
  readonly sizeBytes: number;
}

/** Everything the layers above need of the network. */
export interface Transport {
  readonly listenPoints: readonly ListenPoint[];
  /**
   * Sends to one address. A stream transport uses the open connection (`remote.connection`, else one
   * to the same address and port), or opens one. Rejects when it cannot be sent.
   */
  send(message: Buffer, remote: Remote): Promise<void>;
  /** Closes the connection that a message came on, at once; nothing where there is none. */
  disconnect(remote: Remote): void;
  /** The listen point that a message to `remote` leaves from. */
  localFor(remote: Remote): ListenPoint | undefined;
  /**
   * A REGISTER has got its 2xx: requests to its Contact go over the WebSocket it came on (RFC 7118 §5).
   */
  registered?(request: SipRequest, remote: Remote): void;
  close(): Promise<void>;
}

/** The layer above a transport. Calls are synchronous and must not throw. */
export interface TransportUser {
  onMessage(received: Received): void;
  /**
   * A request that cannot be parsed but may be answered (`errorResponse`), to `remote`. After an
   * error of the framing the connection is closed soon after this call.
   */
  onMalformed?(error: ParseError, remote: Remote, local: ListenPoint): void;
}
