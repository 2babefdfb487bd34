/** What a request failed with: a metav1.Status of the server, or one of our own reasons with status 0. */
export interface KubeFailure {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `reason` of the metav1.Status (`NotFound`, `Conflict`, `Expired` …) or an own reason. */
  readonly reason: string;
  readonly message: string;
  /** How long the server asked to wait, ms. */
  readonly retryAfter?: number;
  /** Types of the causes in the details, such as `ResourceVersionTooLarge`. */
  readonly causes?: readonly string[];
  readonly cause?: unknown;
}

/** Reasons of our own, all with status 0. */
export type LocalReason =
  /** No connection, or it broke before the answer was complete. */
  | 'ConnectionFailed'
  /** No answer in time. */
  | 'TimedOut'
  /** The caller, or `close` of the client, ended it. */
  | 'Aborted'
  /** The answer is not what the API promises. */
  | 'BadAnswer'
  /** Another process leads: this one may not write. */
  | 'NotLeader'
  /** Kubeconfig, token or certificate cannot be read. */
  | 'BadCredentials';

/** A failed API request. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfter: number | undefined;
  readonly causes: readonly string[];

  constructor(failure: KubeFailure) {
    super(failure.message, failure.cause === undefined ? {} : { cause: failure.cause });
    this.status = failure.status;
    this.reason = failure.reason;
    this.retryAfter = failure.retryAfter;
    this.causes = failure.causes ?? [];
  }
}

/** A failure without an answer of the server. */
export function localError(reason: LocalReason, message: string, cause?: unknown): KubeError {
  return new KubeError({ status: 0, reason, message, cause });
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** The object changed or was replaced meanwhile; what was read is stale. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** A metav1.Status, or whatever else a proxy answered, as an error. */
export function errorOfStatus(status: number, body: unknown, retryAfter?: number): KubeError {
  const said = isRecord(body) ? body : {};
  const details = isRecord(said['details']) ? said['details'] : {};
  const waits = retryAfter ?? secondsOf(details['retryAfterSeconds']);
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  return new KubeError({
    status,
    reason: textOf(said['reason']) ?? `Http${status}`,
    message: textOf(said['message']) ?? `the API server answered ${status}`,
    ...(waits === undefined ? {} : { retryAfter: waits }),
    causes: causes.flatMap((cause: unknown) =>
      isRecord(cause) && typeof cause['reason'] === 'string' ? [cause['reason']] : [],
    ),
  });
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value * 1000 : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * What may be logged of a failure. The message of a 422 quotes the values it refuses, which may be
 * numbers or instructions, so it goes under `pii`.
 */
export function failureFields(error: unknown): object {
  if (!(error instanceof KubeError))
    return { error: error instanceof Error ? error.message : String(error) };
  const { status, reason, message } = error;
  return status === 422 ? { status, reason, pii: { message } } : { status, reason, error: message };
}
