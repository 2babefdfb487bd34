import type { Clock, Timer } from '../../base/clock.ts';

/** The running timers of one machine, by name. */
export class TimerSet<Name extends string> {
  readonly #clock: Clock;
  readonly #timers = new Map<Name, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces a running timer of the same name. */
  start(name: Name, delay: number, task: () => void): void {
    this.stop(name);
    const timer = this.#clock.after(delay, () => {
      this.#timers.delete(name);
      task();
    });
    this.#timers.set(name, timer);
  }

  stop(name: Name): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
