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
    this.#forgetOld(now);
    const entry = this.#used.get(nonce);
    if (count <= (entry?.count ?? 0)) return false;
    // A count that starts above 1 is taken: earlier ones may have gone to another server, or got lost.
    if (entry) entry.count = count;
    else this.#add(nonce, { count, since: now });
    return true;
  }

  #add(nonce: string, entry: { count: number; readonly since: number }): void {
    const [oldest] = this.#used.keys();
    if (this.#used.size >= this.#capacity && oldest !== undefined) this.#used.delete(oldest);
    this.#used.set(nonce, entry);
  }

  #forgetOld(now: number): void {
    for (const [nonce, { since }] of this.#used) {
      if (now - since <= this.#lifetime) return;
      this.#used.delete(nonce);
    }
  }
}
