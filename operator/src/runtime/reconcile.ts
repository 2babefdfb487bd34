/** What a reconcile hands back when all went well. */
export interface Outcome {
  /** Look again after so many ms, should nothing happen before. */
  readonly requeueAfter?: number;
}

/**
 * Makes the world be as the object of the key says, from what is there now: it may be called at any time, for any
 * key, more than once, also for what no longer exists. Never runs twice at once for one key. A rejection is tried
 * again with backoff, a conflict (409) almost at once, a TerminalError not before the key changes. `signal` aborts when
 * the controller stops or the time for one run is over.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Outcome>;

/** Trying again cannot help; what is wrong is in the object, and was said in its status. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** How a reconcile ended, as metrics say it; `requeue` is a lost race. */
export type ReconcileResult = 'success' | 'requeue_after' | 'requeue' | 'error' | 'terminal';
