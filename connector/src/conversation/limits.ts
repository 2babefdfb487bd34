import type { Clock, Timer } from '../base/clock.ts';

export interface LimitsDependencies {
  readonly clock: Clock;
  /** Quiet time before a prompt, and before the next. */
  readonly noInputAfter: number;
  /** Prompts before the goodbye. */
  readonly attempts: number;
  readonly maxDuration: number;
  readonly onPrompt: () => void;
  readonly onGoodbye: () => void;
  readonly onMaxDuration: () => void;
}

/**
 * The silent caller and the endless call. Both stand still while the call is held; a single hold lasts
 * no longer than a call may.
 */
export class Limits {
  readonly #dependencies: LimitsDependencies;
  #prompts = 0;
  #isQuiet = false;
  #isHeld = false;
  #isStarted = false;
  #quiet: Timer | undefined;
  #duration: Timer | undefined;
  #durationLeft: number;
  #durationSince = 0;

  constructor(dependencies: LimitsDependencies) {
    this.#dependencies = dependencies;
    this.#durationLeft = dependencies.maxDuration;
  }

  start(): void {
    this.#isStarted = true;
    this.#run();
  }

  /** Neither speaks and nothing is under way: the time in which the caller is expected to speak. */
  setQuiet(isQuiet: boolean): void {
    if (isQuiet === this.#isQuiet) return;
    this.#isQuiet = isQuiet;
    this.#rearm();
  }

  /** The caller spoke or pressed a key. */
  callerActive(): void {
    this.#prompts = 0;
    this.#rearm();
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#pause();
    this.#isHeld = isHeld;
    this.#run();
    this.#rearm();
  }

  stop(): void {
    this.#isStarted = false;
    this.#pause();
    this.#rearm();
  }

  #run(): void {
    if (!this.#isStarted || this.#duration) return;
    const { clock, maxDuration, onMaxDuration } = this.#dependencies;
    this.#durationSince = clock.now();
    this.#duration = clock.after(this.#isHeld ? maxDuration : this.#durationLeft, () => {
      this.#duration = undefined;
      onMaxDuration();
    });
  }

  #pause(): void {
    if (!this.#duration) return;
    this.#duration.cancel();
    this.#duration = undefined;
    if (this.#isHeld) return;
    this.#durationLeft -= this.#dependencies.clock.now() - this.#durationSince;
  }

  #rearm(): void {
    this.#quiet?.cancel();
    this.#quiet = undefined;
    if (!this.#isStarted || !this.#isQuiet || this.#isHeld) return;
    const { clock, noInputAfter, attempts, onPrompt, onGoodbye } = this.#dependencies;
    this.#quiet = clock.after(noInputAfter, () => {
      this.#quiet = undefined;
      this.#prompts++;
      if (this.#prompts > attempts) onGoodbye();
      else onPrompt();
    });
  }
}
