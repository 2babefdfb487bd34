import type { ServerEffect, ServerEvent, Setup } from './machine.ts';
import { transactionTimeout } from './timers.ts';

/*
 * Non-INVITE server transaction, RFC 3261 §17.2.2.
 *
 *   trying ──1xx──▶ proceeding ──final──▶ completed ──J──▶ gone
 */
export type NonInviteServerState =
  | { readonly name: 'trying' }
  | { readonly name: 'proceeding'; readonly last: Buffer }
  | { readonly name: 'completed'; readonly last: Buffer }
  | { readonly name: 'gone' };

type Result = readonly [NonInviteServerState, readonly ServerEffect[]];

export const initialNonInviteServer: NonInviteServerState = { name: 'trying' };

export function stepNonInviteServer(
  state: NonInviteServerState,
  event: ServerEvent,
  setup: Setup,
): Result {
  if (state.name === 'gone') return [state, []];
  switch (event.kind) {
    case 'request':
      return 'last' in state ? [state, [{ kind: 'send', bytes: state.last }]] : [state, []];
    case 'respond':
      return stepRespond(state, event, setup);
    case 'ack':
      return [state, []];
    case 'timer':
      return [{ name: 'gone' }, [{ kind: 'gone' }]];
    case 'transport-error':
      // §17.2.4: the transaction ends, and with it what it would repeat.
      return [{ name: 'gone' }, [{ kind: 'inform', what: 'transport-error' }, { kind: 'gone' }]];
  }
}

function stepRespond(
  state: NonInviteServerState,
  { status, bytes }: { status: number; bytes: Buffer },
  { timers, isReliable }: Setup,
): Result {
  // §17.2.2: finals after the first are discarded.
  if (state.name === 'completed') return [state, []];
  const send = { kind: 'send', bytes } as const;
  if (status < 200) return [{ name: 'proceeding', last: bytes }, [send]];
  if (isReliable) return [{ name: 'gone' }, [send, { kind: 'gone' }]];
  return [
    { name: 'completed', last: bytes },
    [send, { kind: 'start', timer: 'J', delay: transactionTimeout(timers) }],
  ];
}
