import type { Clock } from '../../base/clock.ts';

export interface PortRange {
  readonly min: number;
  readonly max: number;
}

// Long enough for the peer of an ended call to stop sending, so that its packets meet no new call.
const restTime = 30_000;

/** Even RTP ports of a range, each with the odd one above it for RTCP; first used, first used again. */
export class PortPool {
  readonly #clock: Clock;
  readonly #free: { readonly port: number; readonly since: number }[] = [];
  readonly size: number;

  constructor(range: PortRange, sources: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = sources.clock;
    const first = range.min + (range.min % 2);
    const size = Math.max(0, Math.floor((range.max - first + 1) / 2));
    this.size = size;
    // A start of its own for each process keeps two on one range from meeting port by port.
    const offset = Math.floor(sources.random() * size);
    for (let index = 0; index < size; index++)
      this.#free.push({
        port: first + ((index + offset) % size) * 2,
        since: Number.NEGATIVE_INFINITY,
      });
  }

  /** The port that rests longest; undefined when none has rested enough. */
  take(): number | undefined {
    const next = this.#free[0];
    if (!next || this.#clock.now() - next.since < restTime) return undefined;
    this.#free.shift();
    return next.port;
  }

  /** Puts a port to rest: its call ended, or something else had it bound. */
  release(port: number): void {
    this.#free.push({ port, since: this.#clock.now() });
  }

  /** Puts back a port that no peer was told of: it needs no rest. */
  giveBack(port: number): void {
    this.#free.unshift({ port, since: Number.NEGATIVE_INFINITY });
  }

  /** Ports that `take` would give now. */
  get available(): number {
    const now = this.#clock.now();
    return this.#free.filter((entry) => now - entry.since >= restTime).length;
  }
}
