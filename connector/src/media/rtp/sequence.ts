/** Turns a 16 bit sequence number into one that never wraps: the value nearest to the last. */
export class SequenceUnwrapper {
  #last: number | undefined;

  unwrap(sequence: number): number {
    const last = this.#last ?? sequence;
    const unwrapped = last + (((sequence - last) << 16) >> 16);
    this.#last = Math.max(last, unwrapped);
    return unwrapped;
  }
}

/** Distance from one 32 bit timestamp to another, negative when `to` is the older. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}
