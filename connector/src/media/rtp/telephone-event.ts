import { timestampDistance } from './sequence.ts';

/*
 * Event payload (RFC 4733 §2.3):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     event     |E|R| volume    |          duration             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

const digits = '0123456789*#ABCD';
// Packets of an event come every 20 to 50 ms; after this long all three of its ends are lost.
const endTimeout = 200;

/** Of a packet: where its payload starts, and its RTP header. */
interface EventPacket {
  readonly start: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

interface Press {
  readonly digit: string;
  /** Timestamps of another source are no later and no earlier. */
  readonly ssrc: number;
  /** Timestamp of the packet's segment: the same in all its packets. */
  readonly timestamp: number;
  /** Of earlier segments of a press longer than 8.19 s (§2.5.2.3). */
  readonly before: number;
  readonly units: number;
  readonly isEnded: boolean;
  readonly heardAt: number;
}

/** Makes one key press of an event's many packets, whichever of them are lost, doubled or late. */
export class TelephoneEventReceiver {
  readonly #onDigit: (digit: string, duration: number) => void;
  #press: Press | undefined;
  /** Of the RTP clock of the events. */
  unitsPerMs = 8;

  constructor(onDigit: (digit: string, duration: number) => void) {
    this.#onDigit = onDigit;
  }

  /** A packet of the events' payload type. Marker bits are not looked at: some senders have none. */
  receive(packet: Buffer, at: EventPacket, now: number): void {
    if (packet.length < at.start + 4) return;
    const digit = digits[packet.readUInt8(at.start)];
    if (digit === undefined) return;
    const hasEnded = (packet.readUInt8(at.start + 1) & 0x80) !== 0;
    const units = packet.readUInt16BE(at.start + 2);
    const { timestamp, ssrc } = at;
    const current = this.#press;
    if (current && current.ssrc !== ssrc) this.#end(current);
    else if (current) {
      const distance = timestampDistance(current.timestamp, timestamp);
      if (distance < 0 || (distance === 0 && current.isEnded)) return;
      if (distance === 0) {
        const longest = Math.max(current.units, units);
        this.#update({ ...current, units: longest, isEnded: hasEnded, heardAt: now });
        return;
      }
      if (continues(current, digit, distance)) {
        const before = current.before + distance;
        this.#update({ ...current, timestamp, before, units, isEnded: hasEnded, heardAt: now });
        return;
      }
      this.#end(current);
    }
    this.#update({ digit, ssrc, timestamp, before: 0, units, isEnded: hasEnded, heardAt: now });
  }

  /** To be called every few frames: ends a press whose end was lost. */
  expire(now: number): void {
    const press = this.#press;
    if (press && !press.isEnded && now - press.heardAt >= endTimeout)
      this.#update({ ...press, isEnded: true });
  }

  #update(press: Press): void {
    this.#press = press;
    if (press.isEnded) this.#report(press);
  }

  #end(press: Press): void {
    if (!press.isEnded) this.#report(press);
  }

  #report(press: Press): void {
    this.#onDigit(press.digit, Math.round((press.before + press.units) / this.unitsPerMs));
  }
}

// §2.5.2.3: the next segment starts where the full one (65535 units) ended.
function continues(press: Press, digit: string, distance: number): boolean {
  return !press.isEnded && press.digit === digit && distance >= 0xff00 && distance <= 0xffff;
}
