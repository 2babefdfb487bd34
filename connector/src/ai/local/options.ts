/** What the caller may want: phrases with {slots}, and what follows. */
export interface Intent {
  readonly name: string;
  readonly phrases: readonly string[];
  /** `{slot}` and `{result}` (of the tool) are replaced. */
  readonly reply?: string | undefined;
  readonly tool?:
    | { readonly name: string; readonly arguments: Readonly<Record<string, string>> }
    | undefined;
  /** Names of the intents that can follow; all when absent. */
  readonly next?: readonly string[] | undefined;
}

/** The `local` provider of an agent; `contract/agent.ts` has the same shape, checked and defaulted. */
export interface LocalOptions {
  readonly voice: 'slt' | 'rms' | 'awb' | 'kal';
  /** Slot -> the words or phrases it can hold. */
  readonly slots: Readonly<Record<string, readonly string[]>>;
  readonly intents: readonly Intent[];
  readonly fallback: string;
  /** Key -> intent. */
  readonly digits: Readonly<Record<string, string>>;
  readonly endSilenceMs: number;
  readonly minConfidence: number;
  /** Word -> ARPAbet. */
  readonly pronunciations: Readonly<Record<string, string>>;
}
