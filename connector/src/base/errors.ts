/**
 * Every failure the connector names, with its verdict: may the same thing be tried again, and the
 * SIP status a caller gets for it where it ends a call set-up.
 */
export const errorTable = {
  CONFIG_INVALID: { retryable: false, sipStatus: 500 },
  SDP_INVALID: { retryable: false, sipStatus: 400 },
  SDP_UNSUPPORTED_TYPE: { retryable: false, sipStatus: 415 },
  MEDIA_NOT_ACCEPTABLE: { retryable: false, sipStatus: 488 },
  RTP_PORTS_EXHAUSTED: { retryable: true, sipStatus: 503 },
  PROVIDER_UNAVAILABLE: { retryable: true, sipStatus: 480 },
  PROVIDER_REFUSED: { retryable: false, sipStatus: 480 },
  PROVIDER_CLOSED: { retryable: true, sipStatus: 480 },
  PROVIDER_TIMEOUT: { retryable: true, sipStatus: 480 },
  DESTINATION_FORBIDDEN: { retryable: false, sipStatus: 403 },
  CALL_GONE: { retryable: false, sipStatus: 481 },
  DRAINING: { retryable: true, sipStatus: 503 },
} as const satisfies Record<string, { retryable: boolean; sipStatus: number }>;

export type ErrorCode = keyof typeof errorTable;

/** A failure with a code from the table. The message never holds personal data or keys. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  get sipStatus(): number {
    return errorTable[this.code].sipStatus;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
