/** Says how likely a frame (`frameSamples` at 8000 Hz) is speech; frames of a stream come in order. */
export interface VoiceStream {
  probability(frame: Int16Array): Promise<number>;
  close(): void;
}

export interface VoiceModel {
  readonly name: 'silero' | 'fvad';
  stream(): VoiceStream;
  /** When all streams are closed. */
  close(): Promise<void>;
}
