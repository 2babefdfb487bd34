import type { Clock, Timer } from '../base/clock.ts';

/** A session that owes a reply and says nothing at all for so long is taken for dead. */
const silenceTimeout = 10_000;

export interface ReplyWatchDependencies {
  readonly clock: Clock;
  readonly onSilent: () => void;
  readonly onOwed: () => void;
}

/** Notices a session that fell silent, and a reply that should have begun and did not. */
export class ReplyWatch {
  readonly #dependencies: ReplyWatchDependencies;
  #heardAt = 0;
  #silence: Timer | undefined;
  #owed: Timer | undefined;

  constructor(dependencies: ReplyWatchDependencies) {
    this.#dependencies = dependencies;
  }

  get isOwed(): boolean {
    return this.#owed !== undefined;
  }

  /** The session gave a sign of life. On the hot path: only notes the time. */
  heard(): void {
    this.#heardAt = this.#dependencies.clock.now();
  }

  /** A reply is asked for or in production, so that silence is a fault. */
  setDue(isDue: boolean): void {
    if (isDue === (this.#silence !== undefined)) return;
    if (isDue) {
      this.heard();
      this.#arm(silenceTimeout);
    } else {
      this.#silence?.cancel();
      this.#silence = undefined;
    }
  }

  /** The session is expected to reply by itself within this time; if not, `onOwed`. */
  owe(within: number): void {
    this.#owed?.cancel();
    this.#owed = this.#dependencies.clock.after(within, () => {
      this.#owed = undefined;
      this.#dependencies.onOwed();
    });
  }

  /** A reply has begun, or the caller speaks again. */
  paid(): void {
    this.#owed?.cancel();
    this.#owed = undefined;
  }

  stop(): void {
    this.setDue(false);
    this.paid();
  }

  #arm(delay: number): void {
    const { clock, onSilent } = this.#dependencies;
    this.#silence = clock.after(delay, () => {
      const left = this.#heardAt + silenceTimeout - clock.now();
      if (left > 0) {
        this.#arm(left);
        return;
      }
      this.#silence = undefined;
      onSilent();
    });
  }
}
