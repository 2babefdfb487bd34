import type { ClientEffect, ClientEvent, ClientTimer, Setup } from './machine.ts';
import { transactionTimeout } from './timers.ts';

/*
 * INVITE client transaction, RFC 3261 §17.1.1 as changed by RFC 6026 §7.2.
 *
 *   calling ──1xx──▶ proceeding ──2xx──▶ accepted ──M──▶ gone
 *      │ 2xx, 3xx–6xx as from proceeding
 *      └─B─▶ gone     proceeding ──3xx–6xx──▶ completed ──D──▶ gone
 */
export type InviteClientState =
  | { readonly name: 'calling'; readonly bytes: Buffer; readonly interval: number }
  | { readonly name: 'proceeding' }
  | { readonly name: 'accepted' }
  | { readonly name: 'completed' }
  | { readonly name: 'gone' };

type Result = readonly [InviteClientState, readonly ClientEffect[]];

/** Sends the request and starts timers A and B. */
export function startInviteClient(bytes: Buffer, { timers, isReliable }: Setup): Result {
  const effects: ClientEffect[] = [
    { kind: 'send', bytes },
    { kind: 'start', timer: 'B', delay: transactionTimeout(timers) },
  ];
  if (!isReliable) effects.push({ kind: 'start', timer: 'A', delay: timers.t1 });
  return [{ name: 'calling', bytes, interval: timers.t1 }, effects];
}

export function stepInviteClient(
  state: InviteClientState,
  event: ClientEvent,
  setup: Setup,
): Result {
  if (state.name === 'gone') return [state, []];
  if (event.kind === 'transport-error') return fail(state, 'transport-error');
  if (event.kind === 'response') return stepResponse(state, event.status, setup);
  return stepTimer(state, event.timer);
}

function stepResponse(state: InviteClientState, status: number, setup: Setup): Result {
  switch (state.name) {
    case 'calling':
    case 'proceeding':
      if (status < 200) return proceed(state);
      return status < 300 ? accept(setup) : complete(setup);
    case 'accepted':
      // RFC 6026 §7.2: the user sees every 2xx, also those of other forks.
      return status >= 200 && status < 300
        ? [state, [{ kind: 'inform', what: 'response' }]]
        : [state, []];
    case 'completed':
      return status >= 300 ? [state, [{ kind: 'send-ack' }]] : [state, []];
    case 'gone':
      return [state, []];
  }
}

function proceed(state: InviteClientState): Result {
  const stops: ClientEffect[] =
    state.name === 'calling'
      ? [
          { kind: 'stop', timer: 'A' },
          { kind: 'stop', timer: 'B' },
        ]
      : [];
  return [{ name: 'proceeding' }, [...stops, { kind: 'inform', what: 'response' }]];
}

function accept({ timers }: Setup): Result {
  return [
    { name: 'accepted' },
    [
      { kind: 'stop', timer: 'A' },
      { kind: 'stop', timer: 'B' },
      { kind: 'start', timer: 'M', delay: transactionTimeout(timers) },
      { kind: 'inform', what: 'response' },
    ],
  ];
}

/** Timer D is at least 32 s, and zero where nothing is retransmitted. */
function complete({ timers, isReliable }: Setup): Result {
  const effects: ClientEffect[] = [
    { kind: 'stop', timer: 'A' },
    { kind: 'stop', timer: 'B' },
    { kind: 'send-ack' },
    { kind: 'inform', what: 'response' },
  ];
  if (isReliable) return [{ name: 'gone' }, [...effects, { kind: 'gone' }]];
  const delay = Math.max(transactionTimeout(timers), 32_000);
  return [{ name: 'completed' }, [...effects, { kind: 'start', timer: 'D', delay }]];
}

/** Before a final the user hears of it; after that there is nobody left to tell. */
function fail(state: InviteClientState, what: 'timeout' | 'transport-error'): Result {
  const isOpen = state.name === 'calling' || state.name === 'proceeding';
  // An ACK that could not be sent leaves the accepted state be: the forks of a 2xx may still come.
  if (state.name === 'accepted') return [state, []];
  return [
    { name: 'gone' },
    [...(isOpen ? [{ kind: 'inform', what } as const] : []), { kind: 'gone' }],
  ];
}

function stepTimer(state: InviteClientState, timer: ClientTimer): Result {
  switch (timer) {
    case 'A': {
      if (state.name !== 'calling') return [state, []];
      const interval = state.interval * 2;
      return [
        { ...state, interval },
        [
          { kind: 'send', bytes: state.bytes },
          { kind: 'start', timer: 'A', delay: interval },
        ],
      ];
    }
    case 'B':
      return state.name === 'calling' ? fail(state, 'timeout') : [state, []];
    case 'D':
    case 'M':
      return [{ name: 'gone' }, [{ kind: 'gone' }]];
    case 'E':
    case 'F':
    case 'K':
      return [state, []];
  }
}
