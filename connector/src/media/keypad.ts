import { DigitSender } from './rtp/digit-sender.ts';
import type { RtpSender } from './rtp/sender.ts';
import type { Address } from './sdp/description.ts';

/** Told once what became of keys: all of them were sent, or a hold or the end of the call cut them off. */
export type DigitsEnd = (isComplete: boolean) => void;

/** The keys of a call on their way out, frame by frame in place of its audio. */
export class Keypad {
  readonly #sender: RtpSender;
  readonly #digits = new DigitSender();
  readonly #waiting: DigitsEnd[] = [];

  constructor(sender: RtpSender) {
    this.#sender = sender;
  }

  get isBusy(): boolean {
    return this.#digits.isBusy;
  }

  /** False: these are no keys, or too many wait. `onEnd` comes when these and those before are out. */
  push(digits: string, onEnd: DigitsEnd): boolean {
    if (!this.#digits.push(digits)) return false;
    this.#waiting.push(onEnd);
    return true;
  }

  /** Sends one frame; false when it was a pause, or the peer takes no events any more. */
  send(target: Address, as: { readonly ptime: number; readonly payloadType: number }): boolean {
    const frame = this.#digits.next(as.ptime);
    if (frame.kind === 'event') {
      this.#sender.sendEvent(target, { ...frame, payloadType: as.payloadType });
    }
    if (!this.isBusy) this.#end(true);
    return frame.kind === 'event';
  }

  /** Of the RTP clock of the events. */
  set unitsPerMs(unitsPerMs: number) {
    this.#digits.unitsPerMs = unitsPerMs;
  }

  /** Forgets what waits. */
  clear(): void {
    if (!this.isBusy) return;
    this.#digits.clear();
    this.#end(false);
  }

  #end(isComplete: boolean): void {
    for (const onEnd of this.#waiting.splice(0)) onEnd(isComplete);
  }
}
