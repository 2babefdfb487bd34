import type { Clock } from '../../base/clock.ts';
import { TimerSet } from '../transaction/timer-set.ts';
import { type TimerValues, transactionTimeout } from '../transaction/timers.ts';

/** What is repeated, how, and what happens when nobody ever confirms it. */
export interface RepetitionParts {
  readonly clock: Clock;
  readonly timers: TimerValues;
  /** Longest interval; unlimited for provisionals (RFC 3262 §3), T2 for a 2xx (RFC 3261 §13.3.1.4). */
  readonly longest: number;
  repeat(): void;
  giveUp(): void;
}

/**
 * Repeats a response until it is confirmed by another request: T1, then doubled, for 64 * T1, over
 * every transport, for there may be a lossy hop behind the first.
 */
export class Repetition {
  readonly #parts: RepetitionParts;
  readonly #timers: TimerSet<'repeat' | 'limit'>;

  constructor(parts: RepetitionParts) {
    this.#parts = parts;
    this.#timers = new TimerSet(parts.clock);
    this.#next(parts.timers.t1);
    this.#timers.start('limit', transactionTimeout(parts.timers), () => {
      this.stop();
      parts.giveUp();
    });
  }

  stop(): void {
    this.#timers.clear();
  }

  #next(delay: number): void {
    this.#timers.start('repeat', delay, () => {
      this.#parts.repeat();
      this.#next(Math.min(delay * 2, this.#parts.longest));
    });
  }
}
