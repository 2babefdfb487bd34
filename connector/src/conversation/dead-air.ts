import type { Clock, Timer } from '../base/clock.ts';

/** What the caller is waiting for: a new session, or a tool. */
export type Wait = 'gap' | 'tool';

/** Silence that a caller bears before he hears that we are still there. */
const patience = { gap: 1000, tool: 3000 } as const satisfies Record<Wait, number>;
/** Silence between one phrase and the next. */
const repeatAfter = 8000;

/** Says when a caller who waits needs to hear something. */
export class DeadAir {
  readonly #clock: Clock;
  readonly #onDue: (wait: Wait) => void;
  #wait: Wait | undefined;
  #isSilent = false;
  #hasSpoken = false;
  #timer: Timer | undefined;

  constructor(clock: Clock, onDue: (wait: Wait) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  update(wait: Wait | undefined, isSilent: boolean): void {
    if (wait === this.#wait && isSilent === this.#isSilent) return;
    if (wait !== this.#wait) this.#hasSpoken = false;
    this.#wait = wait;
    this.#isSilent = isSilent;
    this.#arm();
  }

  stop(): void {
    this.update(undefined, false);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const wait = this.#wait;
    if (wait === undefined || !this.#isSilent) return;
    this.#timer = this.#clock.after(this.#hasSpoken ? repeatAfter : patience[wait], () => {
      this.#hasSpoken = true;
      this.#arm();
      this.#onDue(wait);
    });
  }
}
