/**
 * Key presses as RFC 4733 events, one step a frame, as a machine without a clock.
 *
 *   idle ──digits──▶ pressed ──100 ms──▶ ending (3 packets) ──▶ pause (100 ms) ──▶ pressed or idle
 *
 * All packets of a press carry the timestamp of its start; the first has the marker bit, and the
 * duration grows with each (§2.5.1.2). The last is sent three times, for one may get lost (§2.5.1.4).
 */

const digits = '0123456789*#ABCD';
const pressLength = 100;
const pauseLength = 100;
const endPackets = 3;
// -10 dBm0: what phones send.
const volume = 10;
/** Longest text of keys taken at once. */
export const maxDigits = 64;

export type DigitFrame =
  /** Nothing to send for keys: the frame is the audio's. */
  | { readonly kind: 'idle' }
  /** Silence between presses. */
  | { readonly kind: 'pause' }
  | {
      readonly kind: 'event';
      /** The four bytes of the event. */
      readonly payload: Buffer;
      /** First packet of a press: marker, and its timestamp is kept for the others. */
      readonly isFirst: boolean;
    };

interface Press {
  readonly event: number;
  /** Time of the press that frames have carried so far. */
  elapsed: number;
  endsSent: number;
  paused: number;
}

/** Whether a text is keys that can be sent. */
export function areDigits(text: string): boolean {
  return text.length <= maxDigits && /^[0-9*#A-D]+$/.test(text);
}

export class DigitSender {
  #waiting: number[] = [];
  #press: Press | undefined;
  /** Of the RTP clock of the events. */
  unitsPerMs = 8;

  get isBusy(): boolean {
    return this.#press !== undefined || this.#waiting.length > 0;
  }

  /** Sends these after those that wait. False: they are not keys, or too many wait. */
  push(text: string): boolean {
    if (!areDigits(text) || this.#waiting.length + text.length > maxDigits) return false;
    this.#waiting.push(...Array.from(text, (digit) => digits.indexOf(digit)));
    return true;
  }

  /** What the next frame of `ptime` ms carries. */
  next(ptime: number): DigitFrame {
    const press = this.#press ?? this.#begin();
    if (!press) return { kind: 'idle' };
    if (press.endsSent === endPackets) return this.#pause(press, ptime);
    const isFirst = press.elapsed === 0;
    if (press.endsSent === 0) press.elapsed += ptime;
    // Never over in its first packet, which alone has the marker.
    const isEnd = !isFirst && press.elapsed >= pressLength;
    if (isEnd) press.endsSent += 1;
    return { kind: 'event', payload: payloadOf(press, isEnd, this.unitsPerMs), isFirst };
  }

  /** Forgets what waits and what is being sent: the call is held or ended. */
  clear(): void {
    this.#waiting = [];
    this.#press = undefined;
  }

  #begin(): Press | undefined {
    const event = this.#waiting.shift();
    if (event === undefined) return undefined;
    this.#press = { event, elapsed: 0, endsSent: 0, paused: 0 };
    return this.#press;
  }

  #pause(press: Press, ptime: number): DigitFrame {
    press.paused += ptime;
    if (press.paused >= pauseLength) this.#press = undefined;
    return { kind: 'pause' };
  }
}

function payloadOf({ event, elapsed }: Press, isEnd: boolean, unitsPerMs: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt8(event, 0);
  payload.writeUInt8((isEnd ? 0x80 : 0) | volume, 1);
  payload.writeUInt16BE(elapsed * unitsPerMs, 2);
  return payload;
}
