import type { Clock, Timer } from '../../base/clock.ts';

// A NAT forgets an idle connection after minutes; a caller notices a dead one after seconds.
const interval = 10_000;
const answerLimit = 8000;

/** Pings a peer and says when it no longer answers. */
export class Keepalive {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #onDead: () => void;
  #timer: Timer | undefined;
  #isWaiting = false;

  constructor(clock: Clock, { ping, onDead }: { ping: () => void; onDead: () => void }) {
    this.#clock = clock;
    this.#ping = ping;
    this.#onDead = onDead;
  }

  start(): void {
    this.#isWaiting = false;
    this.#after(interval, () => {
      this.#isWaiting = true;
      this.#after(answerLimit, this.#onDead);
      this.#ping();
    });
  }

  /** The peer was heard. */
  alive(): void {
    if (this.#isWaiting) this.start();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#isWaiting = false;
  }

  #after(delay: number, task: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delay, task);
  }
}
