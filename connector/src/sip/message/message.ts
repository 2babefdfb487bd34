/** One header field as it stands in the message; `name` keeps its spelling, compact or long. */
export interface Header {
  readonly name: string;
  readonly value: string;
}

/** A SIP request (RFC 3261 §7.1). `headers` keep wire order; `body` is what Content-Length says. */
export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

/** A SIP response (RFC 3261 §7.2). */
export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;
