import type { AudioFormat } from '../media/format.ts';

/** A function the model may call; `parameters` is a JSON Schema object. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What was said or done so far, to seed a session that goes on with a conversation. */
export type HistoryItem =
  | { readonly kind: 'message'; readonly role: 'caller' | 'agent'; readonly text: string }
  | {
      readonly kind: 'tool-call';
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    }
  | { readonly kind: 'tool-result'; readonly callId: string; readonly output: string };

export interface SessionOptions {
  /** Of the audio in both directions: one of the provider's, for the whole session. */
  readonly format: AudioFormat;
  readonly instructions: string;
  readonly tools: readonly ToolSpec[];
  /** Empty for a new conversation; else the session continues it and does not greet. */
  readonly history: readonly HistoryItem[];
}

/**
 * What a session reports. Replies are named by `item`, the provider's id of the spoken item; a
 * provider without ids makes them up.
 */
export type SessionEvent =
  /** The caller began to speak: the moment to stop playout (barge-in). */
  | { readonly type: 'speech-started' }
  | { readonly type: 'speech-stopped' }
  /** What the caller said; `final` text replaces all before it for the item. */
  | {
      readonly type: 'caller-transcript';
      readonly item: string;
      readonly text: string;
      readonly final: boolean;
    }
  | { readonly type: 'reply-started'; readonly reply: string }
  /** Speech of the agent, in the session's format; may come far faster than real time. */
  | {
      readonly type: 'audio';
      readonly reply: string;
      readonly item: string;
      readonly audio: Buffer;
    }
  /** Text of the agent's speech: pieces to append, then the whole with `final`. */
  | {
      readonly type: 'agent-transcript';
      readonly item: string;
      readonly text: string;
      readonly final: boolean;
    }
  | {
      readonly type: 'tool-call';
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    }
  /** Nothing more comes for this reply. */
  | {
      readonly type: 'reply-ended';
      readonly reply: string;
      readonly status: 'completed' | 'cancelled' | 'failed' | 'incomplete';
    }
  /** A fault that leaves the session usable. `message` holds no personal data. */
  | { readonly type: 'fault'; readonly code: string; readonly message: string }
  /** The session is gone, not by `close`: the last event. `retryable`: the same provider may be tried again. */
  | {
      readonly type: 'lost';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

/** One open conversation with a provider. Methods never throw; after `close` or `lost` they do nothing. */
export interface Session {
  /** Caller's audio, any length, in the session's format. The hot path: 50 calls a second. */
  appendAudio(audio: Buffer): void;
  /** A key the caller pressed, for providers that can use it (as a text item, no reply forced). */
  appendDigit(digit: string): void;
  /** The agent speaks `text`, word for word as far as the provider can. */
  say(text: string): void;
  /** The model speaks next on its own (after instructions or a tool result). */
  respond(): void;
  /**
   * Stops the reply in progress, if any, and tells the provider how much of `item` the caller heard
   * (ms). `item` undefined: nothing of it was being played.
   */
  interrupt(heard: { readonly item: string; readonly milliseconds: number } | undefined): void;
  /** Result of a tool call as text (JSON or prose). The reply to it is asked for with `respond`. */
  addToolResult(callId: string, output: string): void;
  close(): void;
}

/** An AI back end. */
export interface Provider {
  readonly name: string;
  /** What it takes, best liked first; G.711 of both laws where it does not say. */
  readonly formats?: readonly AudioFormat[] | undefined;
  /**
   * Opens a session; resolves when it takes audio. Rejects with a ConnectorError
   * (PROVIDER_UNAVAILABLE, PROVIDER_REFUSED, PROVIDER_TIMEOUT). `onEvent` is called from the moment
   * of the call, never before `open` was entered nor after `close`.
   */
  open(
    options: SessionOptions,
    onEvent: (event: SessionEvent) => void,
    signal: AbortSignal,
  ): Promise<Session>;
  /** Frees what the provider shares among sessions (workers, pools). */
  close(): Promise<void>;
}
