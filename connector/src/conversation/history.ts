import type { HistoryItem } from '../ai/session.ts';
import type { ToolTurn, Turn } from './turns.ts';

/** What the model is told of a tool call whose result its session did not live to see. */
const unknownOutcome = JSON.stringify({
  outcome: 'unknown',
  note: 'The connection was lost while this was running. Calling it again with the same arguments gives its outcome.',
});

/**
 * The turns as a new session is told them: of the agent's speech what the caller heard, or for turns
 * that are still being played (`isPending`) what he is about to hear.
 */
export function historyOf(
  turns: readonly Turn[],
  isPending: (turn: Turn) => boolean,
): readonly HistoryItem[] {
  return turns.flatMap((turn) => itemsOf(turn, isPending(turn)));
}

function itemsOf(turn: Turn, isPending: boolean): HistoryItem[] {
  switch (turn.role) {
    case 'caller':
      return message('caller', turn.text);
    case 'agent':
      return message('agent', isPending ? turn.text : turn.heardText);
    case 'digits':
      return message('caller', `(pressed the keys ${turn.digits})`);
    case 'tool':
      return toolItems(turn);
  }
}

function message(role: 'caller' | 'agent', text: string): HistoryItem[] {
  return text === '' ? [] : [{ kind: 'message', role, text }];
}

function toolItems(turn: ToolTurn): HistoryItem[] {
  const { callId, name } = turn;
  return [
    { kind: 'tool-call', callId, name, arguments: turn.arguments },
    { kind: 'tool-result', callId, output: turn.result ?? unknownOutcome },
  ];
}
