/** Which provider serves next when one fails: a pure policy over what failed when. */

/** A provider may be reconnected twice within a minute; then it rests. */
const reconnects = 2;
const failureWindow = 60_000;

interface ProviderState {
  /** Clock times of losses and failed attempts within the window. */
  readonly failures: readonly number[];
  /** It said that trying again is of no use: out for the rest of the call. */
  readonly isOut: boolean;
}

export interface FailoverState {
  readonly current: number;
  readonly providers: readonly ProviderState[];
}

export function initialFailover(count: number): FailoverState {
  return {
    current: 0,
    providers: Array.from({ length: count }, () => ({ failures: [], isOut: false })),
  };
}

/** The current provider failed, in opening or later. */
export function failed(
  state: FailoverState,
  failure: { readonly at: number; readonly isRetryable: boolean },
): FailoverState {
  const providers = state.providers.map((provider, index) =>
    index === state.current
      ? {
          failures: [...recent(provider, failure.at), failure.at],
          isOut: provider.isOut || !failure.isRetryable,
        }
      : provider,
  );
  return { ...state, providers };
}

/** While the phone rings, each provider gets one attempt, in order of the list. */
export function nextWhileRinging(state: FailoverState): FailoverState | undefined {
  const next = state.current + 1;
  return next < state.providers.length ? { ...state, current: next } : undefined;
}

/**
 * In a call, the same provider first, as it may know best; then the others from there on in a circle,
 * so that one that failed long ago gets another chance. Undefined: none is left.
 */
export function nextInCall(state: FailoverState, now: number): FailoverState | undefined {
  const count = state.providers.length;
  for (let offset = 0; offset < count; offset++) {
    const index = (state.current + offset) % count;
    const provider = state.providers[index];
    if (provider && !provider.isOut && recent(provider, now).length <= reconnects)
      return { ...state, current: index };
  }
  return undefined;
}

function recent(provider: ProviderState, now: number): readonly number[] {
  return provider.failures.filter((at) => now - at < failureWindow);
}
