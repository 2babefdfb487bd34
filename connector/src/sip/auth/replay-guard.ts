/**
 * Remembers the highest count each nonce was used with, so that credentials serve once (RFC 7616 §5.12).
 * Forgets nonces when they are too old to be valid, and the oldest when there are too many.
 */
export class ReplayGuard {
  readonly #lifetime: number;
  readonly #capacity: number;
  /** In order of first use. */
  readonly #used = new Map<string, { count: number; readonly since: number }>();

  /** `lifetime` is at least twice that of a nonce, in ms. */
  constructor(options: { lifetime: number; capacity: number }) {
    this.#lifetime = options.lifetime;
    this.#capacity = options.capacity;
  }

  /** How many nonces are remembered. */
  get size(): number {
    return this.#used.size;
  }

  /** True, and noted, when the count is above all that were used with this nonce. */
  use(nonce: string, count: number, now: number): boolean {
    this.#forget(now);
    const entry = this.#used.get(nonce);
    if (entry) {
      if (count <= entry.count) return false;
      entry.count = count;
      return true;
    }
    // A count that starts above 1 is taken: earlier ones may have gone to another server, or got lost.
    this.#used.set(nonce, { count, since: now });
    return count > 0;
  }

  #forget(now: number): void {
    for (const [nonce, { since }] of this.#used) {
      if (now - since <= this.#lifetime && this.#used.size < this.#capacity) return;
      this.#used.delete(nonce);
    }
  }
}
