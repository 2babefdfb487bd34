import type { Clock } from '@parley/connector/base/clock';
import { KubeError, localError } from './kube-error.ts';

/** A signal that aborts with the first of: a parent, `abort`, the end of the time given. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Time begins again. */
  extend(limit: number): void;
  /** Releases the timer and the parents; idempotent. */
  release(): void;
}

export function createDeadline(
  clock: Clock,
  limit: number,
  parents: readonly (AbortSignal | undefined)[],
): Deadline {
  const own = new AbortController();
  const onParent = (): void => own.abort(localError('Aborted', 'given up'));
  const given = parents.filter((parent) => parent !== undefined);
  for (const parent of given) parent.addEventListener('abort', onParent, { once: true });
  if (given.some((parent) => parent.aborted)) onParent();
  const start = (delay: number) =>
    clock.after(delay, () =>
      own.abort(localError('TimedOut', `out of time after ${delay / 1000} s`)),
    );
  let timer = start(limit);
  return {
    signal: own.signal,
    extend(delay) {
      timer.cancel();
      timer = start(delay);
    },
    release() {
      timer.cancel();
      for (const parent of given) parent.removeEventListener('abort', onParent);
    },
  };
}

/** What really ended a request: our own reason where it was aborted, else the connection. */
export function failureOf(error: unknown, signal: AbortSignal): KubeError {
  if (signal.aborted && signal.reason instanceof KubeError) return signal.reason;
  if (error instanceof KubeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return localError('ConnectionFailed', `no connection to the API server: ${text}`, error);
}

/** Resolves after `delay`, or at once when `signal` aborts; never rejects. */
export function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) {
      done();
      return;
    }
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = clock.after(delay, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** The outcome of `work`, or the reason of the abort; for work that knows no signal. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
