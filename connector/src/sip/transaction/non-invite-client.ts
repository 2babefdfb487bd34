import type { ClientEffect, ClientEvent, ClientTimer, Setup } from './machine.ts';
import { transactionTimeout } from './timers.ts';

/*
 * Non-INVITE client transaction, RFC 3261 §17.1.2.
 *
 *   trying ──1xx──▶ proceeding ──final──▶ completed ──K──▶ gone
 *      └──────────────F───────────────────────────────────▶ gone
 */
export type NonInviteClientState =
  | {
      readonly name: 'trying' | 'proceeding';
      readonly bytes: Buffer;
      readonly interval: number;
    }
  | { readonly name: 'completed' }
  | { readonly name: 'gone' };

type Result = readonly [NonInviteClientState, readonly ClientEffect[]];

/** Sends the request and starts timers E and F. */
export function startNonInviteClient(bytes: Buffer, { timers, isReliable }: Setup): Result {
  const effects: ClientEffect[] = [
    { kind: 'send', bytes },
    { kind: 'start', timer: 'F', delay: transactionTimeout(timers) },
  ];
  if (!isReliable) effects.push({ kind: 'start', timer: 'E', delay: timers.t1 });
  return [{ name: 'trying', bytes, interval: timers.t1 }, effects];
}

export function stepNonInviteClient(
  state: NonInviteClientState,
  event: ClientEvent,
  setup: Setup,
): Result {
  if (state.name === 'gone') return [state, []];
  if (state.name === 'completed') {
    // Repeated finals are absorbed until timer K.
    return event.kind === 'timer' && event.timer === 'K' ? end() : [state, []];
  }
  if (event.kind === 'transport-error') return end('transport-error');
  if (event.kind === 'timer') return stepTimer(state, event.timer, setup);
  if (event.status < 200) {
    return [{ ...state, name: 'proceeding' }, [{ kind: 'inform', what: 'response' }]];
  }
  return complete(setup);
}

function stepTimer(
  state: Extract<NonInviteClientState, { bytes: Buffer }>,
  timer: ClientTimer,
  { timers }: Setup,
): Result {
  if (timer === 'F') return end('timeout');
  if (timer !== 'E') return [state, []];
  // §17.1.2.2: doubled up to T2 while trying, T2 once a provisional came.
  const interval =
    state.name === 'proceeding' ? timers.t2 : Math.min(state.interval * 2, timers.t2);
  return [
    { ...state, interval },
    [
      { kind: 'send', bytes: state.bytes },
      { kind: 'start', timer: 'E', delay: interval },
    ],
  ];
}

function complete({ timers, isReliable }: Setup): Result {
  const effects: ClientEffect[] = [
    { kind: 'stop', timer: 'E' },
    { kind: 'stop', timer: 'F' },
    { kind: 'inform', what: 'response' },
  ];
  if (isReliable) return [{ name: 'gone' }, [...effects, { kind: 'gone' }]];
  return [{ name: 'completed' }, [...effects, { kind: 'start', timer: 'K', delay: timers.t4 }]];
}

function end(what?: 'timeout' | 'transport-error'): Result {
  return [
    { name: 'gone' },
    [...(what ? [{ kind: 'inform', what } as const] : []), { kind: 'gone' }],
  ];
}
