import type { CloseReason } from './stats.ts';
import type { ListenPoint, Remote } from './transport.ts';

/** Which connection this is. */
export interface LinkPath {
  /** `connection` is set: the name of this connection. */
  readonly remote: Remote & { readonly connection: string };
  readonly local: ListenPoint;
  readonly isInbound: boolean;
}

/** One open connection, whatever its messages are wrapped in. */
export interface Link {
  readonly path: LinkPath;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  /** False once it is closing; nothing new is to be sent on it then. */
  readonly isOpen: boolean;
  /** Resolves when the system has taken the bytes; rejects when the connection is or gets closed. */
  send(bytes: Buffer): Promise<void>;
  /** Closes at once. Only the first reason counts. */
  close(reason: CloseReason): void;
  /** Closes when what was written is sent, at the latest after the send timeout. */
  finish(): Promise<void>;
  /** Closes when it carries no transaction, at the latest after 5 minutes. */
  retire?(): void;
}
