import type { SessionEvent } from '../session.ts';
import type { Command, Item } from './command.ts';
import { describe } from './fault.ts';
import type { ServerError } from './server-event.ts';
import type { Spoken } from './spoken.ts';

/** What the machine of `exchange.ts` is made of: its state, what it wants done, and how steps combine. */

export interface Exchange {
  readonly phase: 'greeting' | 'configuring' | 'open';
  /** Counts the commands, whose ids come from it. */
  readonly serial: number;
  readonly replies: Replies;
  readonly spoken: Spoken;
  readonly bytesPerMs: number;
  /** Tool calls that were reported; the protocol announces each twice. */
  readonly calls: readonly string[];
  readonly history: readonly Item[];
}

/**
 * The server speaks one reply at a time and refuses a second request. So requests wait here until
 * the reply before them is done, and each state in which we wait ends by itself.
 *
 *   idle ──request──▶ requested ──created──▶ speaking ──done──▶ idle, next request
 *     └───────────created (by the server's own turn detection)───▲
 */
export interface Replies {
  readonly active: Active | undefined;
  readonly queue: readonly Request[];
  /** Replies of which nothing more is let through. */
  readonly muted: readonly string[];
}

/** Words to say; undefined leaves them to the model. */
export type Request = string | undefined;

export type Active =
  | {
      readonly kind: 'requested';
      /** Of the command. */
      readonly id: string;
      readonly request: Request;
      /** It was interrupted before the server gave it a name. */
      readonly isCancelled: boolean;
    }
  | {
      readonly kind: 'speaking';
      /** Empty when the server said that a reply is active, but not which. */
      readonly response: string;
      /** The request that it seems to answer; asked again when it turns out to be the server's own. */
      readonly asked?: { readonly request: Request };
      readonly isCancelled: boolean;
    };

export type Effect =
  | { readonly type: 'send'; readonly command: Command }
  | { readonly type: 'emit'; readonly event: SessionEvent }
  /** Ask for `watch-ended` after `delay` ms, instead of what was asked before; undefined: not at all. */
  | { readonly type: 'watch'; readonly delay: number | undefined }
  /** The session takes audio. */
  | { readonly type: 'ready' }
  /** The server does not take the configuration. */
  | { readonly type: 'refused'; readonly error: ServerError }
  | { readonly type: 'lost'; readonly code: string; readonly retryable: boolean }
  /** For the log: the server's own words. */
  | { readonly type: 'note'; readonly error: ServerError };

export type Step = readonly [Exchange, readonly Effect[]];

/** Runs steps one after the other. */
export function chain(first: Step, ...next: readonly ((state: Exchange) => Step)[]): Step {
  return next.reduce<Step>(([state, effects], one) => {
    const [after, more] = one(state);
    return [after, [...effects, ...more]];
  }, first);
}

/** Sends a command under a new id. */
export function send(state: Exchange, make: (id: string) => Command): Step {
  const serial = state.serial + 1;
  const command = make(`parley-${serial}`);
  return [{ ...state, serial }, [{ type: 'send', command }]];
}

export function emit(event: SessionEvent): Effect {
  return { type: 'emit', event };
}

/** A fault that the session survives. */
export function faultOf(code: string): Effect {
  return emit({ type: 'fault', code, message: describe(code) });
}

/** Adds to a short list of ids. */
export function remember(ids: readonly string[], id: string): readonly string[] {
  return id === '' || ids.includes(id) ? ids : [...ids, id].slice(-8);
}
