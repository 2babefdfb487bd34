interface Numbered {
  /** Ascending from 1 in order of beginning; a gap is speech of the caller that held no words. */
  readonly number: number;
  /** Wall clock of the beginning, ms since the epoch. */
  readonly at: number;
}

export interface CallerTurn extends Numbered {
  readonly role: 'caller';
  readonly text: string;
}

export interface AgentTurn extends Numbered {
  readonly role: 'agent';
  /** All that the provider said it would say. */
  readonly text: string;
  /**
   * What the caller heard of it: `text`, or when interrupted an estimate, `text` cut in proportion to
   * the audio that was played.
   */
  readonly heardText: string;
  /** Audio played to the caller, ms; never more than `received`. */
  readonly heard: number;
  /** Audio received from the provider, ms. */
  readonly received: number;
  /** The caller cut in, or the provider broke off. */
  readonly isInterrupted: boolean;
}

export interface ToolTurn extends Numbered {
  readonly role: 'tool';
  readonly callId: string;
  readonly name: string;
  /** JSON as the model wrote it. */
  readonly arguments: string;
  /** `running` is recorded before the tool is called: after a crash its outcome is unknown. */
  readonly outcome: 'running' | 'ok' | 'failed' | 'refused';
  /** What the model was told; absent while running. */
  readonly result?: string;
}

export interface DigitsTurn extends Numbered {
  readonly role: 'digits';
  /** Keys pressed one after the other. */
  readonly digits: string;
}

/** What was said or done in a call, in order. All of it is personal data. */
export type Turn = CallerTurn | AgentTurn | ToolTurn | DigitsTurn;
