import type { Provider } from '../ai/session.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Agent } from '../contract/agent.ts';
import type { Termination } from '../contract/termination.ts';
import type { Law } from '../media/law.ts';
import type { Line, LineListener } from '../media/line.ts';
import type { CallControl } from './call-control.ts';
import type { ConversationEvent } from './events.ts';
import type { Turn } from './turns.ts';

/** Offline text to speech in the line's law, for when no provider can speak. The maker caches. */
export type Speaker = (text: string, law: Law) => Promise<Buffer>;

export interface ConversationDependencies {
  readonly agent: Agent;
  /** The first is used, the rest are fallbacks in order; not owned, not closed here. */
  readonly providers: readonly Provider[];
  readonly control: CallControl;
  /** Without it a tone stands for the apology. */
  readonly speaker: Speaker | undefined;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly onEvent: (event: ConversationEvent) => void;
}

/**
 * Joins one call's line to an AI session and keeps it going when the provider fails. Order of use:
 * `open` while the phone rings, `attach` at the answer, `end` when the call is over for any reason.
 */
export class Conversation {
  constructor(_dependencies: ConversationDependencies) {}

  /**
   * Opens the first provider that works and asks for the greeting, whose audio waits for `attach`.
   * Rejects with a ConnectorError (the last provider's, or CALL_GONE after `end`) when none does; if
   * the call was attached by then, the caller hears the apology and `control.hangUp` follows.
   */
  open(_law: Law): Promise<void> {
    return Promise.resolve();
  }

  /** Joins the answered call, once. May come before `open` has resolved: the caller's words wait. */
  attach(_line: Line): LineListener {
    return { onAudio: () => undefined, onDigit: () => undefined, onPlayed: () => undefined };
  }

  /** While held, the limits stand still, nothing is prompted and the caller's audio is dropped. */
  hold(_isHeld: boolean): void {}

  /** The call is over: closes the session, cancels timers and tools. Idempotent; safe during `open`. */
  end(_termination: Termination): void {}

  /** What was said so far, in order; also after the end. */
  transcript(): readonly Turn[] {
    return [];
  }

  get ended(): boolean {
    return false;
  }
}

export type { CallControl, TransferOutcome, TransferTarget } from './call-control.ts';
export type { ConversationEvent, ToolOutcome } from './events.ts';
export type { AgentTurn, CallerTurn, DigitsTurn, ToolTurn, Turn } from './turns.ts';
