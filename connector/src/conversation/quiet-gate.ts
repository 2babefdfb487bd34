import type { Clock, Timer } from '../base/clock.ts';

/** Does one thing when the agent has finished speaking, or when that takes too long. */
export class QuietGate {
  readonly #clock: Clock;
  #waiting: { task: () => void; timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces what was waited for before. */
  wait(atMost: number, task: () => void): void {
    this.cancel();
    this.#waiting = { task, timer: this.#clock.after(atMost, () => this.#pass()) };
  }

  check(isQuiet: boolean): void {
    if (isQuiet) this.#pass();
  }

  cancel(): void {
    this.#waiting?.timer.cancel();
    this.#waiting = undefined;
  }

  #pass(): void {
    const task = this.#waiting?.task;
    this.cancel();
    task?.();
  }
}
