import type { OpenAiOptions } from '../../contract/agent.ts';
import type { HistoryItem, SessionOptions } from '../session.ts';

/** What we say to the server, before a dialect gives it its shape. `id` comes back in errors about it. */
export type Command =
  | { readonly type: 'configure'; readonly id: string }
  | { readonly type: 'add-item'; readonly id: string; readonly item: Item }
  /** The model speaks; `say` asks for these words. */
  | { readonly type: 'respond'; readonly id: string; readonly say: string | undefined }
  /** `response` empty: whichever is active. */
  | { readonly type: 'cancel'; readonly id: string; readonly response: string }
  | {
      readonly type: 'truncate';
      readonly id: string;
      readonly item: string;
      readonly contentIndex: number;
      /** Integer ms that were heard. */
      readonly audioEnd: number;
    };

/** A piece of the conversation; `notice` is from neither side. */
export type Item = HistoryItem | { readonly kind: 'notice'; readonly text: string };

/** What a session is configured with. */
export interface Settings {
  readonly provider: OpenAiOptions;
  readonly session: SessionOptions;
}

/** A shape of the protocol: commands to the JSON object that goes on the wire. */
export type Codec = (command: Command, settings: Settings) => object;

/** The instruction that makes a model read a text out. */
export function sayExactly(text: string): string {
  return `Say exactly the following to the caller, word for word, in its own language, and nothing else:\n\n${text}`;
}

/** What a model is told when it takes over a running conversation. */
export const continuation =
  'The line was interrupted for a moment. Continue this conversation where it stopped. ' +
  'Do not greet the caller again and do not repeat what was said.';

/** What a model is told of a pressed key. */
export function pressed(digit: string): string {
  return `[The caller pressed the key ${digit}.]`;
}
