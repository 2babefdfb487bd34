import type { TimerValues } from './timers.ts';

/** What a machine has to know besides its state. */
export interface Setup {
  readonly timers: TimerValues;
  /** TCP and TLS: nothing is retransmitted, nothing has to be absorbed. */
  readonly isReliable: boolean;
}

/** A result of a step: `start` replaces a running timer of the same name, `gone` ends them all. */
type Effect<Timer extends string, Inform extends string> =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** The runner makes the ACK for the final response of this event, and sends it. */
  | { readonly kind: 'send-ack' }
  | { readonly kind: 'start'; readonly timer: Timer; readonly delay: number }
  | { readonly kind: 'stop'; readonly timer: Timer }
  /** The transaction user is told. */
  | { readonly kind: 'inform'; readonly what: Inform }
  | { readonly kind: 'gone' };

/** Timers of the client transactions by their letters in RFC 3261 and RFC 6026. */
export type ClientTimer = 'A' | 'B' | 'D' | 'E' | 'F' | 'K' | 'M';

export type ClientEvent =
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'timer'; readonly timer: ClientTimer }
  | { readonly kind: 'transport-error' };

export type ClientEffect = Effect<ClientTimer, 'response' | 'timeout' | 'transport-error'>;

/** Timers of the server transactions. */
export type ServerTimer = 'G' | 'H' | 'I' | 'J' | 'L';

export type ServerEvent =
  /** The request again. */
  | { readonly kind: 'request' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'respond'; readonly status: number; readonly bytes: Buffer }
  | { readonly kind: 'timer'; readonly timer: ServerTimer }
  | { readonly kind: 'transport-error' };

export type ServerEffect = Effect<ServerTimer, 'ack' | 'timeout' | 'transport-error'>;

type Step<State, Event, Result> = (
  state: State,
  event: Event,
  setup: Setup,
) => readonly [State, readonly Result[]];

/** A running machine: takes events, gives effects, keeps the state. */
export function machineOf<State, Event, Result>(
  initial: State,
  step: Step<State, Event, Result>,
  setup: Setup,
): (event: Event) => readonly Result[] {
  let state = initial;
  return (event) => {
    const [next, effects] = step(state, event, setup);
    state = next;
    return effects;
  };
}
