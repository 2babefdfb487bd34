/** Why something could not be sent, or a transport not be started. */
export type TransportErrorCode =
  | 'LISTEN_FAILED'
  | 'NO_LISTEN_POINT'
  | 'NOT_AN_ADDRESS'
  | 'NO_CONNECTION'
  | 'CONNECT_FAILED'
  | 'CONNECT_TIMEOUT'
  | 'TLS_FAILED'
  | 'SEND_FAILED'
  | 'CLOSED';

/** A failure of the transport layer (§18.4). The message holds no address of a peer. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** The system's code of an error (`ECONNREFUSED`, `CERT_HAS_EXPIRED` …), which holds nothing personal. */
export function systemCodeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
