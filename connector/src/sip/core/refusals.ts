/** Why the server refused a request without asking an application. */
export type RefusalReason =
  | 'bad-request'
  | 'unauthorized'
  | 'method'
  | 'uri-scheme'
  | 'extension'
  | 'session-interval'
  | 'no-dialog'
  | 'loop'
  | 'crossing'
  | 'sequence'
  | 'overload'
  | 'no-application';

const reasons = new Map<number, RefusalReason>([
  [400, 'bad-request'],
  [401, 'unauthorized'],
  [405, 'method'],
  [416, 'uri-scheme'],
  [420, 'extension'],
  [422, 'session-interval'],
  [481, 'no-dialog'],
  [482, 'loop'],
  [491, 'crossing'],
  [500, 'sequence'],
  [503, 'overload'],
]);

/** What a status means when the SIP server gives it of its own accord. */
export function refusalReasonOf(status: number): RefusalReason {
  return reasons.get(status) ?? 'bad-request';
}

/** Counts refusals since the start. */
export class Refusals {
  readonly #counts = new Map<RefusalReason, number>();

  count(reason: RefusalReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Those of `other` added. */
  with(other: Refusals): Readonly<Partial<Record<RefusalReason, number>>> {
    const sum = new Map(this.#counts);
    for (const [reason, count] of other.#counts) sum.set(reason, (sum.get(reason) ?? 0) + count);
    return Object.fromEntries(sum);
  }
}
