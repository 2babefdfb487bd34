import type { Clock, Timer } from '../../base/clock.ts';

/** A clock whose timers all end at once with their owner, and that starts none after that. */
export class ScopedClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  after(delay: number, task: () => void): Timer {
    if (this.#isOver) return { cancel: () => undefined };
    const timer = this.#clock.after(delay, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  cancelAll(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
