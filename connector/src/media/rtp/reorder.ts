/**
 * Puts packets back in the order they were sent (RFC 3550 §5.1), as a machine without a timer. In
 * order they pass at once; only a gap makes what follows it wait, and not for long:
 *
 *            next expected                 ahead of it: held
 *   ──▶ passed at once ◀──────────────── waiting ──────────────▶ the gap is given up
 *                        the gap is filled         40 ms went by, or 8 packets are held
 *
 * A packet whose place was given up is late. Sequence numbers run over their end without notice.
 */

/** How long a gap is waited for. `expire` is called once a frame, so a frame comes on top. */
export const reorderWait = 40;
export const maxHeldPackets = 8;
// Those who count reception drop what is older, so a longer way back is a sender that started anew.
const maxLateness = 64;
// As far ahead as this (RFC 3550 A.1) it is no loss either.
const maxDropout = 3000;

interface Held<T> {
  readonly sequence: number;
  readonly item: T;
  readonly at: number;
}

export interface ReorderEvents<T> {
  /** In order; `missing` packets before it never came. */
  readonly onItem: (item: T, missing: number) => void;
}

export class ReorderBuffer<T> {
  readonly #onItem: ReorderEvents<T>['onItem'];
  #next: number | undefined;
  /** By sequence, all of them ahead of `#next`. */
  readonly #held: Held<T>[] = [];
  /** Packets that came after their place was given up. */
  late = 0;

  constructor({ onItem }: ReorderEvents<T>) {
    this.#onItem = onItem;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** A packet that arrived at `now`; one that is there already is dropped. */
  push(sequence: number, item: T, now: number): void {
    const ahead = this.#next === undefined ? 0 : distance(this.#next, sequence);
    if (ahead < -maxLateness || ahead >= maxDropout) this.restart();
    else if (ahead < 0) {
      this.late += 1;
      return;
    }
    if (this.#next === undefined || ahead === 0) {
      this.#pass({ sequence, item, at: now }, 0);
      this.#passReady();
    } else this.#hold({ sequence, item, at: now }, ahead);
    if (this.#held.length > maxHeldPackets) this.#giveUp();
    this.expire(now);
  }

  /** Gives up gaps that were waited for long enough. */
  expire(now: number): void {
    while (this.#held.some(({ at }) => now - at >= reorderWait)) this.#giveUp();
  }

  /** Another stream begins (SSRC, sequence numbers): what is held of the old one is passed on. */
  restart(): void {
    while (this.#held.length > 0) this.#giveUp();
    this.#next = undefined;
  }

  #hold(held: Held<T>, ahead: number): void {
    const next = held.sequence - ahead;
    const index = this.#held.findIndex((other) => distance(next, other.sequence) >= ahead);
    if (index === -1) this.#held.push(held);
    else if (this.#held[index]?.sequence !== held.sequence) this.#held.splice(index, 0, held);
  }

  #giveUp(): void {
    const first = this.#held.shift();
    if (!first) return;
    this.#pass(first, this.#next === undefined ? 0 : distance(this.#next, first.sequence));
    this.#passReady();
  }

  #passReady(): void {
    while (this.#held[0]?.sequence === this.#next) {
      const first = this.#held.shift();
      if (!first) return;
      this.#pass(first, 0);
    }
  }

  #pass({ sequence, item }: Held<T>, missing: number): void {
    this.#next = (sequence + 1) & 0xffff;
    this.#onItem(item, missing);
  }
}

/** Steps from one sequence number to another, negative when `to` is the older. */
function distance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
