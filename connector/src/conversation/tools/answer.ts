import type { ToolOutcome } from '../events.ts';

/** What became of a tool call, and what the model is told. */
export interface ToolAnswer {
  readonly outcome: ToolOutcome;
  readonly text: string;
}

export function failure(text: string): ToolAnswer {
  return { outcome: 'failed', text: JSON.stringify({ error: text }) };
}

/** The call was not carried out. */
export function refusal(text: string): ToolAnswer {
  return { outcome: 'refused', text: JSON.stringify({ error: text }) };
}
