import type { ServerEffect, ServerEvent, ServerTimer, Setup } from './machine.ts';
import { transactionTimeout } from './timers.ts';

/*
 * INVITE server transaction, RFC 3261 §17.2.1 as changed by RFC 6026 §7.1.
 *
 *   proceeding ──2xx──▶ accepted ──L──▶ gone
 *        └──3xx–6xx──▶ completed ──ACK──▶ confirmed ──I──▶ gone
 *                          └──H──▶ gone
 */
export type InviteServerState =
  | { readonly name: 'proceeding'; readonly last?: Buffer }
  | { readonly name: 'completed'; readonly last: Buffer; readonly interval: number }
  | { readonly name: 'confirmed' }
  | { readonly name: 'accepted' }
  | { readonly name: 'gone' };

type Result = readonly [InviteServerState, readonly ServerEffect[]];

export const initialInviteServer: InviteServerState = { name: 'proceeding' };

export function stepInviteServer(
  state: InviteServerState,
  event: ServerEvent,
  setup: Setup,
): Result {
  switch (event.kind) {
    case 'request':
      // §17.2.1: the last provisional or final again; a 2xx is repeated by its user alone.
      return 'last' in state && state.last ? [state, [send(state.last)]] : [state, []];
    case 'respond':
      return stepRespond(state, event, setup);
    case 'ack':
      return stepAck(state, setup);
    case 'timer':
      return stepTimer(state, event.timer, setup);
    case 'transport-error':
      return stepError(state);
  }
}

function stepRespond(
  state: InviteServerState,
  { status, bytes }: { status: number; bytes: Buffer },
  { timers, isReliable }: Setup,
): Result {
  if (state.name === 'accepted' && status >= 200 && status < 300) return [state, [send(bytes)]];
  if (state.name !== 'proceeding') return [state, []];
  if (status < 200) return [{ name: 'proceeding', last: bytes }, [send(bytes)]];
  const limit = transactionTimeout(timers);
  if (status < 300) {
    return [{ name: 'accepted' }, [send(bytes), { kind: 'start', timer: 'L', delay: limit }]];
  }
  const effects: ServerEffect[] = [send(bytes), { kind: 'start', timer: 'H', delay: limit }];
  if (!isReliable) effects.push({ kind: 'start', timer: 'G', delay: timers.t1 });
  return [{ name: 'completed', last: bytes, interval: timers.t1 }, effects];
}

function stepAck(state: InviteServerState, { timers, isReliable }: Setup): Result {
  // RFC 6026 §7.1: an ACK to a 2xx under the INVITE's branch is for the user.
  if (state.name === 'accepted') return [state, [{ kind: 'inform', what: 'ack' }]];
  if (state.name !== 'completed') return [state, []];
  if (isReliable) return [{ name: 'gone' }, [{ kind: 'gone' }]];
  return [
    { name: 'confirmed' },
    [
      { kind: 'stop', timer: 'G' },
      { kind: 'stop', timer: 'H' },
      { kind: 'start', timer: 'I', delay: timers.t4 },
    ],
  ];
}

function stepTimer(state: InviteServerState, timer: ServerTimer, { timers }: Setup): Result {
  if (timer === 'G') {
    if (state.name !== 'completed') return [state, []];
    const interval = Math.min(state.interval * 2, timers.t2);
    return [
      { ...state, interval },
      [send(state.last), { kind: 'start', timer: 'G', delay: interval }],
    ];
  }
  if (timer === 'H') {
    if (state.name !== 'completed') return [state, []];
    return [{ name: 'gone' }, [{ kind: 'inform', what: 'timeout' }, { kind: 'gone' }]];
  }
  return state.name === 'gone' ? [state, []] : [{ name: 'gone' }, [{ kind: 'gone' }]];
}

/** §17.2.4: a final that cannot be delivered ends it; a provisional or a 2xx may get through later. */
function stepError(state: InviteServerState): Result {
  if (state.name !== 'completed') return [state, []];
  return [{ name: 'gone' }, [{ kind: 'inform', what: 'transport-error' }, { kind: 'gone' }]];
}

function send(bytes: Buffer): ServerEffect {
  return { kind: 'send', bytes };
}
