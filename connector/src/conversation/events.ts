import type { Termination } from '../contract/termination.ts';
import type { Turn } from './turns.ts';

/** What a conversation reports to log, metrics and UI. Times in ms. Only `turn` holds personal data. */
export type ConversationEvent =
  /** `took`: from asking the provider to an open session. `isResumed`: seeded after a loss. */
  | {
      readonly type: 'session-opened';
      readonly provider: string;
      readonly took: number;
      readonly isResumed: boolean;
    }
  /** The first sound of the agent was queued for the caller, `after` ms after `attach`. */
  | { readonly type: 'first-audio'; readonly after: number }
  /** A turn is complete or has changed: the same number again replaces the earlier report. */
  | { readonly type: 'turn'; readonly turn: Turn }
  /** The caller cut in. `stoppedAfter`: from the provider's event (or the key) to the cleared queue. */
  | {
      readonly type: 'barge-in';
      readonly by: 'speech' | 'digit';
      readonly stoppedAfter: number;
    }
  /** A session or an attempt to open one failed; `code` is the provider's or an ErrorCode. */
  | { readonly type: 'provider-lost'; readonly provider: string; readonly code: string }
  | {
      readonly type: 'tool';
      readonly name: string;
      readonly outcome: ToolOutcome;
      readonly took: number;
    }
  /** The last event, once. */
  | { readonly type: 'ended'; readonly termination: Termination };

/** `refused`: never sent, for the call was malformed, unknown or its target forbidden. */
export type ToolOutcome = 'ok' | 'failed' | 'refused';
