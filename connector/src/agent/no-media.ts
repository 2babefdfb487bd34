import type { Clock, Timer } from '../base/clock.ts';

/** A call whose caller sent nothing for so long is taken for dead: BYEs get lost, networks break. */
const noMediaLimit = 30_000;
const checkInterval = 5000;

export interface NoMediaOptions {
  readonly clock: Clock;
  /** When the caller was last heard, or need not have been (hold), on the clock's `now`. */
  readonly lastAudioAt: () => number;
  readonly onSilence: () => void;
}

/** Watches for media from the caller; `onSilence` is called once. */
export class NoMediaWatch {
  readonly #options: NoMediaOptions;
  #timer: Timer | undefined;

  constructor(options: NoMediaOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= this.#options.clock.after(checkInterval, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #check(): void {
    const { clock, lastAudioAt, onSilence } = this.#options;
    this.#timer = undefined;
    if (clock.now() - lastAudioAt() >= noMediaLimit) return onSilence();
    return this.start();
  }
}
