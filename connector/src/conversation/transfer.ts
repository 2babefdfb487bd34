import type { Clock, Timer } from '../base/clock.ts';
import type { CallControl, TransferOutcome, TransferTarget } from './call-control.ts';

/** Backstop; the call's own time limits for a transfer are shorter. */
const transferTimeout = 120_000;

/** Has the call transferred and waits for the outcome. */
export class Transfer {
  readonly #clock: Clock;
  readonly #control: CallControl;
  #timer: Timer | undefined;

  constructor(clock: Clock, control: CallControl) {
    this.#clock = clock;
    this.#control = control;
  }

  /** Calls back once, unless stopped. */
  run(target: TransferTarget, onOutcome: (outcome: TransferOutcome) => void): void {
    const settle = (outcome: TransferOutcome): void => {
      if (this.#timer !== timer) return;
      this.stop();
      onOutcome(outcome);
    };
    const fail = (status: number, reason: string): void =>
      settle({ outcome: 'failed', status, reason });
    const timer = this.#clock.after(transferTimeout, () => fail(408, 'Request Timeout'));
    this.#timer = timer;
    const transferred = async (): Promise<TransferOutcome> => this.#control.transfer(target);
    transferred().then(settle, () => fail(500, 'Server Internal Error'));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
