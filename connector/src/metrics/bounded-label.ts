/** Values of a label that others choose: at most `limit` of them, the rest counts as `other`. */
export class BoundedLabel {
  readonly #limit: number;
  readonly #seen = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `value` if it looks like a code and there is room for it. */
  of(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= this.#limit || !/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(value))
      return 'other';
    this.#seen.add(value);
    return value;
  }
}
