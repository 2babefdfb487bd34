import { type Rate, TokenBucket } from './token-bucket.ts';

/** What a source may cost. Times in ms. */
export interface GuardLimits {
  /** Requests that begin something new. */
  readonly requests: Rate;
  /** Messages that cannot be read; more of them block the source. */
  readonly malformed: Rate;
  /** Wrong passwords; more of them block the source. */
  readonly failures: Rate;
  /** The first block of a source; each that follows within `memory` lasts twice as long. */
  readonly firstBlock: number;
  readonly longestBlock: number;
  /** After this long without a block a source is as good as new. */
  readonly memory: number;
  /** Sources that are remembered; the one not seen for longest is forgotten first. */
  readonly mostSources: number;
}

/**
 * The rate of requests is far above what a trunk brings (a thousand calls at a time that last three
 * minutes are six a second), for behind a NAT or a Kubernetes node many sources look like one.
 */
export const defaultGuardLimits: GuardLimits = {
  requests: { perSecond: 200, burst: 1000 },
  malformed: { perSecond: 5, burst: 50 },
  failures: { perSecond: 1 / 6, burst: 10 },
  firstBlock: 60_000,
  longestBlock: 3_600_000,
  memory: 6 * 3_600_000,
  mostSources: 10_000,
};

/** Why a message got no answer. */
export type DropReason = 'blocked' | 'scanner' | 'rate' | 'malformed';

/** A block that has just begun. */
export interface Block {
  readonly reason: 'scanner' | 'malformed' | 'authentication';
  /** In ms. */
  readonly duration: number;
}

interface Source {
  readonly requests: TokenBucket;
  malformed: TokenBucket;
  failures: TokenBucket;
  /** When the running or last block ends. */
  blockedUntil: number;
  /** Of the last block; 0 where there was none. */
  duration: number;
}

/** Remembers what each source has cost, and when it has to be silent. Memory is bounded. */
export class SourceGuard {
  readonly #limits: GuardLimits;
  /** In the order in which they were last seen. */
  readonly #sources = new Map<string, Source>();

  constructor(limits: GuardLimits = defaultGuardLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sources.size;
  }

  isBlocked(key: string, now: number): boolean {
    return (this.#sources.get(key)?.blockedUntil ?? now) > now;
  }

  /** A request that begins something: false when the source has had its share. */
  spendRequest(key: string, now: number): boolean {
    return this.#seen(key, now).requests.take(now);
  }

  /** A message that could not be read. */
  malformed(key: string, now: number): Block | undefined {
    const source = this.#seen(key, now);
    return source.malformed.take(now) ? undefined : this.#block(source, 'malformed', now);
  }

  /** A wrong password for a nonce of ours, so the source's address is its own. */
  failed(key: string, now: number): Block | undefined {
    const source = this.#seen(key, now);
    return source.failures.take(now) ? undefined : this.#block(source, 'authentication', now);
  }

  /** A scanner has shown itself. */
  scanned(key: string, now: number): Block | undefined {
    return this.#block(this.#seen(key, now), 'scanner', now);
  }

  /** Undefined where it is blocked already: what comes meanwhile makes it no longer. */
  #block(source: Source, reason: Block['reason'], now: number): Block | undefined {
    if (source.blockedUntil > now) return undefined;
    const { firstBlock, longestBlock, memory, malformed, failures } = this.#limits;
    const isKnown = source.duration > 0 && now - source.blockedUntil < memory;
    source.duration = isKnown ? Math.min(2 * source.duration, longestBlock) : firstBlock;
    source.blockedUntil = now + source.duration;
    source.malformed = new TokenBucket(malformed, now);
    source.failures = new TokenBucket(failures, now);
    return { reason, duration: source.duration };
  }

  #seen(key: string, now: number): Source {
    const source = this.#sources.get(key) ?? this.#create(now);
    this.#sources.delete(key);
    this.#sources.set(key, source);
    if (this.#sources.size > this.#limits.mostSources) {
      const [oldest] = this.#sources.keys();
      if (oldest !== undefined) this.#sources.delete(oldest);
    }
    return source;
  }

  #create(now: number): Source {
    const { requests, malformed, failures } = this.#limits;
    return {
      requests: new TokenBucket(requests, now),
      malformed: new TokenBucket(malformed, now),
      failures: new TokenBucket(failures, now),
      blockedUntil: now,
      duration: 0,
    };
  }
}
