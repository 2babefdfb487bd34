import type { Termination } from '../contract/termination.ts';

export interface Load {
  readonly isDraining: boolean;
  readonly activeCalls: number;
  readonly maxCalls: number;
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly termination: Termination;
}

/** Seconds after which a peer may try again: a call ends within some seconds, a new process takes longer. */
const retryAfter = { capacity: 5, draining: 30 } as const;

/**
 * Whether a new call can come, undefined for yes. 503 makes a proxy leave this process alone, so it
 * is said only where no call at all can be taken; with one agent a process, that is when it is full.
 */
export function refusalFor(load: Load): Refusal | undefined {
  if (load.isDraining) return refusal('draining');
  if (load.activeCalls >= load.maxCalls) return refusal('capacity');
  return undefined;
}

/** The refusal for a reason of its own: what there is no room for. */
export function refusal(reason: keyof typeof retryAfter): Refusal {
  return {
    status: 503,
    headers: { 'Retry-After': String(retryAfter[reason]) },
    termination: { result: 'rejected', reason },
  };
}

/** One agent of several has all the calls it may have: no reason to leave the process alone. */
export const busy: Refusal = {
  status: 486,
  headers: { 'Retry-After': String(retryAfter.capacity) },
  termination: { result: 'rejected', reason: 'capacity' },
};

/**
 * Every agent is disabled. 480 lets a proxy or trunk try elsewhere; 404 would say that the number does not
 * exist, 488 that another offer of media would help.
 */
export const nobody: Refusal = {
  status: 480,
  headers: {},
  termination: { result: 'rejected', reason: 'no-agent' },
};
