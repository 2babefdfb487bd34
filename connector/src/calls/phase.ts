/** The life of a leg, as a table: from each phase, where it may go. */
const next = {
  /** INVITE received or sent, no final answer. */
  setup: ['answered', 'confirmed', 'ended'],
  /** Our 200 went out; the ACK has not come. */
  answered: ['confirmed', 'ended'],
  /** ACK received or sent: the dialog is up. */
  confirmed: ['ending', 'ended'],
  /** Our BYE went out. */
  ending: ['ended'],
  ended: [],
} as const satisfies Record<string, readonly string[]>;

export type LegPhase = keyof typeof next;

/** Whether a leg may go from one phase to another. */
export function mayFollow(from: LegPhase, to: LegPhase): boolean {
  const successors: readonly LegPhase[] = next[from];
  return successors.includes(to);
}
