import { branchCookie } from '../message/via.ts';

/** Makes the names that SIP wants to be unique (RFC 3261 §19.3), from a source in [0, 1). */
export class Ids {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  tag(): string {
    return this.#hex(2);
  }

  branch(): string {
    return `${branchCookie}${this.#hex(3)}`;
  }

  callId(): string {
    return this.uuid();
  }

  /** RFC 9562 version 4. */
  uuid(): string {
    const hex = this.#hex(4);
    const variant = '89ab'[Math.floor(this.#random() * 4)] ?? '8';
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** A first CSeq or RSeq: below 2^31 with room to count (RFC 3261 §8.1.1.5, RFC 3262 §3). */
  sequence(): number {
    return 1 + Math.floor(this.#random() * 2 ** 28);
  }

  bytes(count: number): Buffer {
    return Buffer.from(this.#hex(Math.ceil(count / 4)), 'hex').subarray(0, count);
  }

  /** A number of ms in [from, to). */
  between(from: number, to: number): number {
    return from + this.#random() * (to - from);
  }

  #hex(words: number): string {
    let text = '';
    for (let word = 0; word < words; word++) {
      text += Math.floor(this.#random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    }
    return text;
  }
}
