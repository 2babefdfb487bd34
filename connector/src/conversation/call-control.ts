import type { Termination } from '../contract/termination.ts';

export interface TransferTarget {
  /** sip:, sips: or tel: URI, one of the agent's configured destinations. */
  readonly to: string;
  readonly referredBy: string | undefined;
}

export type TransferOutcome =
  | { readonly outcome: 'completed' }
  /** `status` is the SIP status of the refused REFER or of the target's answer. */
  | { readonly outcome: 'failed'; readonly status: number; readonly reason: string };

/** Why keys are not pressed now. */
export type DigitsRefusal =
  /** The peer holds the call. */
  | 'held'
  | 'not-answered'
  /** More wait than a person would ever press. */
  | 'too-many';

export type DigitsOutcome =
  | DigitsRefusal
  | 'sent'
  /** By a hold or the end of the call; some may have been heard. */
  | 'cut-off'
  /** The peer takes neither RFC 4733 events nor INFO. */
  | 'refused';

/** What a conversation asks of the call it is on. */
export interface CallControl {
  /**
   * Ends the call. Called at most once, when all that had to be said was played; the conversation has
   * ended by then, so that `end` need not be called any more (it may be). Never called after `end`.
   */
  hangUp(termination: Termination): void;
  /**
   * Transfers the caller; settles when the outcome is known. After `completed` the conversation calls
   * `hangUp` with `transferred`, after `failed` it goes on. A rejection counts as failed.
   */
  transfer(target: TransferTarget): Promise<TransferOutcome>;
  /** Presses keys (0-9 * # A-D) towards the caller; settles when the last is out. Never rejects. */
  sendDigits(digits: string): Promise<DigitsOutcome>;
}
