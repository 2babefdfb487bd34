import { SequenceUnwrapper } from './sequence.ts';

/** Receiver's book-keeping for one source (RFC 3550 §6.4.1 and appendices A.1, A.3, A.8). */

// A.1: a larger step is a restart of the sender rather than loss.
const maxDropout = 3000;
const windowSize = 64;

export interface ReceptionReport {
  /** Of 256, since the report before. */
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
}

export class ReceptionStatistics {
  #unitsPerMs = 8;
  #unwrapper = new SequenceUnwrapper();
  #isStarted = false;
  #ssrc = 0;
  #base = 0;
  #highest = 0;
  #received = 0;
  #jitter = 0;
  #transit = 0;
  #badSequence = -1;
  #expectedBefore = 0;
  #receivedBefore = 0;
  /** Losses of sources that were replaced. */
  #lostBefore = 0;
  readonly #seen = new Uint8Array(windowSize);

  /** Of the RTP clock. What was measured by another goes on in units of this one. */
  set unitsPerMs(unitsPerMs: number) {
    this.#jitter *= unitsPerMs / this.#unitsPerMs;
    this.#transit = Number.NaN;
    this.#unitsPerMs = unitsPerMs;
  }

  get ssrc(): number | undefined {
    return this.#isStarted ? this.#ssrc : undefined;
  }

  /** Packets lost so far; late duplicates are not counted as received. */
  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#received);
  }

  get jitterMs(): number {
    return this.#jitter / this.#unitsPerMs;
  }

  get #expected(): number {
    return this.#isStarted ? this.#highest - this.#base + 1 : 0;
  }

  /** Counts a packet that arrived at `now` ms. False: drop it, a duplicate or from before a jump. */
  receive(
    packet: { readonly ssrc: number; readonly sequence: number; readonly timestamp: number },
    now: number,
  ): boolean {
    if (!this.#isStarted || packet.ssrc !== this.#ssrc) this.#start(packet.ssrc, packet.sequence);
    const sequence = this.#place(packet.sequence);
    if (sequence === undefined) return false;
    this.#received += 1;
    this.#measure(packet.timestamp, now);
    return true;
  }

  /** Closes the interval for a report block; undefined before the first packet. */
  report(): ReceptionReport | undefined {
    if (!this.#isStarted) return undefined;
    const expected = this.#expected - this.#expectedBefore;
    const lost = expected - (this.#received - this.#receivedBefore);
    this.#expectedBefore = this.#expected;
    this.#receivedBefore = this.#received;
    return {
      fractionLost:
        expected === 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      cumulativeLost: Math.max(-0x80_0000, Math.min(0x7f_ffff, this.#expected - this.#received)),
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
    };
  }

  #start(ssrc: number, sequence: number): void {
    this.#lostBefore = this.lost;
    this.#isStarted = true;
    this.#ssrc = ssrc;
    this.#restart(sequence);
    this.#jitter = 0;
  }

  #restart(sequence: number): void {
    this.#unwrapper = new SequenceUnwrapper();
    this.#base = this.#unwrapper.unwrap(sequence);
    this.#highest = this.#base - 1;
    this.#received = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    this.#badSequence = -1;
    // A sender that starts anew may count time anew as well: no packet was late by that.
    this.#transit = Number.NaN;
    this.#seen.fill(0);
  }

  /** The unwrapped sequence number of a packet that is new, undefined for one to drop. */
  #place(raw: number): number | undefined {
    const forward = (raw - this.#highest) & 0xffff;
    const isJump = forward >= maxDropout && forward <= 0x1_0000 - windowSize;
    if (isJump) {
      const isSecond = raw === this.#badSequence;
      this.#badSequence = (raw + 1) & 0xffff;
      if (!isSecond) return undefined;
      this.#lostBefore = this.lost;
      this.#restart(raw);
    }
    const sequence = this.#unwrapper.unwrap(raw);
    return this.#isNew(sequence) ? sequence : undefined;
  }

  #isNew(sequence: number): boolean {
    for (; this.#highest < sequence; this.#highest++) this.#seen[slotOf(this.#highest + 1)] = 0;
    if (sequence <= this.#highest - windowSize) return false;
    const slot = slotOf(sequence);
    if (this.#seen[slot] === 1) return false;
    this.#seen[slot] = 1;
    // A packet from before the first one that was seen extends what was expected.
    this.#base = Math.min(this.#base, sequence);
    return true;
  }

  // A.8: the mean deviation of the transit time, with gain 1/16.
  #measure(timestamp: number, now: number): void {
    const transit = (Math.round(now * this.#unitsPerMs) - timestamp) | 0;
    if (!Number.isNaN(this.#transit)) {
      const deviation = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (deviation - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}

function slotOf(sequence: number): number {
  return ((sequence % windowSize) + windowSize) % windowSize;
}
