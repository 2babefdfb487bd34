/** `burst` at once, and `perSecond` from then on. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left to spend. Time comes in as an argument, in ms of a monotonic clock. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes one; false, and nothing taken, when there is none. */
  take(now: number): boolean {
    const gained = (Math.max(0, now - this.#at) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
