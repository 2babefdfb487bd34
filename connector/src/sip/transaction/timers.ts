/** Base timers of RFC 3261 §17.1.1.1, in ms. */
export interface TimerValues {
  /** Estimated round trip. */
  readonly t1: number;
  /** Longest interval between retransmissions of requests and of finals to INVITE. */
  readonly t2: number;
  /** How long a message stays in the network. */
  readonly t4: number;
}

export const defaultTimers: TimerValues = { t1: 500, t2: 4_000, t4: 5_000 };

/** Timers B, F, H, J, L and M, and the wait for an ACK or PRACK: 64 * T1. */
export function transactionTimeout(timers: TimerValues): number {
  return 64 * timers.t1;
}
