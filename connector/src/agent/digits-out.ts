import type { Clock } from '../base/clock.ts';
import type { InfoDigit } from '../calls/info-dtmf.ts';
import type { DigitsOutcome, DigitsRefusal } from '../conversation/call-control.ts';
import type { DigitsEnd } from '../media/keypad.ts';

/** A press and the time from one to the next where each is a request of its own. */
const pressLength = 100;
const pressInterval = 200;
/** Keys on their way at one time: more would take longer than anybody waits. */
const maxWaiting = 64;

export interface DigitsOutDependencies {
  readonly clock: Clock;
  readonly obstacle: () => 'held' | 'not-answered' | undefined;
  /** RFC 4733; false where the peer takes no events. */
  readonly byRtp: (digits: string, onEnd: DigitsEnd) => boolean;
  /** SIP INFO; false where the peer refuses it. */
  readonly byInfo: (key: InfoDigit) => Promise<boolean>;
  readonly onBusy: (isBusy: boolean) => void;
}

/** The keys that a call presses towards its peer, one after the other. */
export class DigitsOut {
  readonly #with: DigitsOutDependencies;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #endPause: () => void = () => undefined;

  constructor(dependencies: DigitsOutDependencies) {
    this.#with = dependencies;
  }

  /** Takes keys, which are such; the outcome when the last is out. Never rejects. */
  send(digits: string): DigitsRefusal | Promise<DigitsOutcome> {
    const obstacle = this.#with.obstacle();
    if (obstacle) return obstacle;
    if (this.#waiting + digits.length > maxWaiting) return 'too-many';
    this.#count(digits.length);
    return this.#run(digits).finally(() => this.#count(-digits.length));
  }

  /** The call is over: nobody waits any longer. */
  close(): void {
    this.#endPause();
  }

  #count(change: number): void {
    const wasBusy = this.#waiting > 0;
    this.#waiting += change;
    const isBusy = this.#waiting > 0;
    if (isBusy !== wasBusy) this.#with.onBusy(isBusy);
  }

  #run(digits: string): Promise<DigitsOutcome> {
    return new Promise((resolve) => {
      const onEnd: DigitsEnd = (isComplete) => resolve(isComplete ? 'sent' : 'cut-off');
      if (this.#with.byRtp(digits, onEnd)) return;
      this.#last = this.#last.then(async () => resolve(await this.#sendInfo(digits)));
    });
  }

  async #sendInfo(digits: string): Promise<DigitsOutcome> {
    const { clock, obstacle, byInfo } = this.#with;
    for (const digit of digits) {
      if (obstacle()) return 'cut-off';
      const begun = clock.now();
      // RFC 6086 §4.2.1 allows several at a time, but gateways play them as they come.
      if (!(await byInfo({ digit, duration: pressLength })))
        return obstacle() ? 'cut-off' : 'refused';
      await this.#pause(begun + pressInterval - clock.now());
    }
    return 'sent';
  }

  #pause(duration: number): Promise<void> {
    if (duration <= 0 || this.#with.obstacle() === 'not-answered') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#with.clock.after(duration, resolve);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
