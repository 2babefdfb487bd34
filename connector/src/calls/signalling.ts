/** What the calls need of the SIP server; `srf.ts` implements it on drachtio-srf, tests with a fake. */

export type Headers = Readonly<Record<string, string>>;

/** A request as received. `header` finds long and compact names alike; repeated fields are joined by commas. */
export interface Received {
  readonly method: string;
  readonly uri: string;
  /** The dialog it belongs to, empty where there is none. */
  readonly dialog: string;
  /** `server`: the SIP server made it on its own (a BYE after no ACK …) and wants no answer. */
  readonly source: 'network' | 'server';
  readonly sourceAddress: string;
  readonly body: string;
  header(name: string): string | undefined;
}

export interface Response {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
  readonly body?: string;
}

/** A received request together with the means to answer it. */
export interface Incoming {
  readonly request: Received;
  /** Resolves with the dialog id (empty where there is none); rejects when nothing was sent (CALL_GONE). */
  readonly respond: (response: Response) => Promise<string>;
  /** Called once when the peer cancels; the SIP server has answered 487 by then. */
  readonly onCancelled: (listener: () => void) => void;
}

export interface Draft {
  readonly method: string;
  /** Request-URI outside of dialogs; inside one, the server takes the peer's Contact where absent. */
  readonly uri?: string;
  readonly dialog?: string;
  readonly headers?: Headers;
  readonly body?: string;
  /** Next hop as a SIP URI, where it is not the request-URI. */
  readonly route?: string;
}

/** A response to a request of ours. `acknowledge` sends ACK to a 2xx and PRACK to a reliable 1xx. */
export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly dialog: string;
  readonly body: string;
  header(name: string): string | undefined;
  acknowledge(): void;
}

/** A request of ours as it went out. */
export interface Sent {
  /** Request-URI on the wire. */
  readonly uri: string;
  header(name: string): string | undefined;
  /** Sends CANCEL; the final response (487 as a rule) still follows as a reply. */
  cancel(): void;
}

export interface Signalling {
  /** Addresses that SIP peers can use, `udp/192.0.2.1:5060`. */
  readonly addresses: readonly string[];
  /** `onReply` may be called before the promise resolves. Rejects with CALL_GONE when nothing was sent. */
  send(draft: Draft, onReply: (reply: Reply) => void): Promise<Sent>;
  /** Leaves once what was sent is on its way. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** Called for every request that reaches the application; must not throw. */
export interface SignallingUser {
  onRequest(incoming: Incoming): void;
  /** The server's connection broke (it is being made again): all that was in flight is lost. */
  onLost(): void;
}
