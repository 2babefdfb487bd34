/*
 * Session timer, RFC 4028, in both roles. We refresh at half of the interval; whoever refreshes, the
 * session ends a little before the interval does (§10).
 *
 *   off ──agreed──▶ running ──refresh──▶ refreshing ──2xx──▶ running
 *                      ▲                     │ 491, 422, other failures
 *                      └────── expire ──▶ off (BYE) ◀── 408, 481
 */
export type SessionTimerState =
  | { readonly name: 'off' }
  | { readonly name: 'running' | 'refreshing'; readonly terms: SessionTerms; readonly due: number };

/** What both sides agreed on. */
export interface SessionTerms {
  readonly intervalSeconds: number;
  /** We refresh; else the peer does. */
  readonly isRefresher: boolean;
}

export type SessionTimerEvent =
  /** A 2xx to INVITE or UPDATE passed, either way; without terms the session has no end. */
  | { readonly kind: 'agreed'; readonly terms?: SessionTerms; readonly now: number }
  | { readonly kind: 'timer'; readonly timer: 'refresh' | 'expire'; readonly now: number }
  /** Our refresh failed. `wait` is what is to pass before the next after a 491. */
  | {
      readonly kind: 'failed';
      readonly status: number;
      readonly minSeSeconds?: number;
      readonly wait: number;
      readonly now: number;
    };

export type SessionTimerEffect =
  | { readonly kind: 'start'; readonly timer: 'refresh' | 'expire'; readonly delay: number }
  | { readonly kind: 'stop'; readonly timer: 'refresh' | 'expire' }
  | { readonly kind: 'refresh'; readonly intervalSeconds: number }
  | { readonly kind: 'bye' };

type Result = readonly [SessionTimerState, readonly SessionTimerEffect[]];

/** §5: no interval may be shorter. */
export const minSeSeconds = 90;

export function stepSessionTimer(state: SessionTimerState, event: SessionTimerEvent): Result {
  if (event.kind === 'agreed') return agree(event.terms, event.now);
  if (state.name === 'off') return [state, []];
  if (event.kind === 'failed') return fail(state, event);
  if (event.timer === 'expire') return [{ name: 'off' }, [...stops, { kind: 'bye' }]];
  if (state.name === 'refreshing') return [state, []];
  return [
    { ...state, name: 'refreshing' },
    [{ kind: 'refresh', intervalSeconds: state.terms.intervalSeconds }],
  ];
}

/** How long before the end of the interval the session ends (§10): the smaller of 32 s and a third, in ms. */
export function sessionMargin(intervalSeconds: number): number {
  return Math.min(32_000, (intervalSeconds * 1000) / 3);
}

const stops: readonly SessionTimerEffect[] = [
  { kind: 'stop', timer: 'refresh' },
  { kind: 'stop', timer: 'expire' },
];

function agree(terms: SessionTerms | undefined, now: number): Result {
  if (!terms) return [{ name: 'off' }, stops];
  const interval = terms.intervalSeconds * 1000;
  const delay = interval - sessionMargin(terms.intervalSeconds);
  const expire: SessionTimerEffect = { kind: 'start', timer: 'expire', delay };
  const refresh: SessionTimerEffect = terms.isRefresher
    ? { kind: 'start', timer: 'refresh', delay: interval / 2 }
    : { kind: 'stop', timer: 'refresh' };
  return [{ name: 'running', terms, due: now + delay }, [refresh, expire]];
}

function fail(
  state: Exclude<SessionTimerState, { name: 'off' }>,
  event: Extract<SessionTimerEvent, { kind: 'failed' }>,
): Result {
  if (state.name !== 'refreshing') return [state, []];
  // §10: a peer that is gone, or does not know the dialog, ends it.
  if (event.status === 408 || event.status === 481) {
    return [{ name: 'off' }, [...stops, { kind: 'bye' }]];
  }
  const { terms } = state;
  const running = { ...state, name: 'running' } as const;
  if (event.status === 422 && (event.minSeSeconds ?? 0) > terms.intervalSeconds) {
    // §7.3: again at once with what the peer asks for; the session still ends when it was to end.
    const longer = { ...terms, intervalSeconds: event.minSeSeconds ?? minSeSeconds };
    return [
      { ...state, terms: longer },
      [{ kind: 'refresh', intervalSeconds: longer.intervalSeconds }],
    ];
  }
  if (event.status === 491) {
    return [running, [{ kind: 'start', timer: 'refresh', delay: event.wait }]];
  }
  // Another failure leaves the session as it is (§10): once more before it ends.
  const delay = (state.due - event.now) / 2;
  return delay < 1_000 ? [running, []] : [running, [{ kind: 'start', timer: 'refresh', delay }]];
}
