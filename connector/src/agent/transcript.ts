import type { Turn } from '../conversation/turns.ts';

/** A turn as the API shows it. */
export interface ApiTurn {
  readonly role: 'caller' | 'agent' | 'tool';
  readonly text: string;
  readonly at: string;
}

/** What was said, heard and done, as text. */
export function apiTurns(turns: readonly Turn[]): readonly ApiTurn[] {
  return turns.map((turn) => ({
    role: turn.role === 'digits' ? 'caller' : turn.role,
    text: textOf(turn),
    at: new Date(turn.at).toISOString(),
  }));
}

function textOf(turn: Turn): string {
  switch (turn.role) {
    case 'caller':
      return turn.text;
    case 'agent':
      return turn.heardText;
    case 'tool':
      return `${turn.name}(${turn.arguments}): ${turn.outcome}`;
    case 'digits':
      return `(pressed ${turn.digits})`;
  }
}
