import { refreshTarget } from '../dialog/dialog.ts';
import { answerSession, refreshHeaders, termsOfAnswer } from '../dialog/session-negotiation.ts';
import {
  type SessionTerms,
  type SessionTimerEffect,
  type SessionTimerEvent,
  type SessionTimerState,
  sessionMargin,
  stepSessionTimer,
} from '../dialog/session-timer.ts';
import { type HasHeaders, header } from '../message/headers.ts';
import type { Header } from '../message/message.ts';
import { parseDeltaSeconds } from '../message/session-expires.ts';
import type { Core } from './core.ts';
import { endByServer } from './in-dialog.ts';
import type { LiveDialog } from './live-dialog.ts';
import { sendRefresh } from './refresh.ts';

/** The session terms of a 2xx that we send, which take effect; the headers that say them. */
export function agreeAsServer(
  core: Core,
  live: LiveDialog,
  { request, response }: { request: HasHeaders; response: HasHeaders },
): readonly Header[] {
  const { terms, headers } = answerSession(request, response);
  agree(core, live, terms);
  return headers;
}

/** The terms of a 2xx to a request of the application's. */
export function agreeAsClient(core: Core, live: LiveDialog, response: HasHeaders): void {
  agree(core, live, termsOfAnswer(response));
}

/** Headers that keep the session timer going in a request of the application's that says nothing of it. */
export function sessionHeaders(live: LiveDialog, draft: HasHeaders): readonly Header[] {
  const { session } = live;
  if (session.name === 'off' || header(draft, 'session-expires') !== undefined) return [];
  return refreshHeaders(session.terms);
}

/** Goes on with the session of an earlier process; what was due in between is due now. */
export function resumeSession(core: Core, live: LiveDialog, session: SessionTimerState): void {
  live.session = session.name === 'off' ? session : { ...session, name: 'running' };
  if (session.name === 'off') return;
  const { intervalSeconds, isRefresher } = session.terms;
  const left = session.due - core.clock.now();
  const start = (timer: 'refresh' | 'expire', delay: number) =>
    perform(core, live, { kind: 'start', timer, delay: Math.max(0, delay) });
  start('expire', left);
  // The session was agreed `agreedFor` before it is due, and is refreshed at half of its interval.
  const agreedFor = intervalSeconds * 1000 - sessionMargin(intervalSeconds);
  if (isRefresher) start('refresh', left - agreedFor + intervalSeconds * 500);
}

function agree(core: Core, live: LiveDialog, terms: SessionTerms | undefined): void {
  const now = core.clock.now();
  step(core, live, terms ? { kind: 'agreed', terms, now } : { kind: 'agreed', now });
}

function step(core: Core, live: LiveDialog, event: SessionTimerEvent): void {
  if (live.isEnded) return;
  const [state, effects] = stepSessionTimer(live.session, event);
  live.session = state;
  for (const effect of effects) perform(core, live, effect);
}

function perform(core: Core, live: LiveDialog, effect: SessionTimerEffect): void {
  switch (effect.kind) {
    case 'start':
      live.timers.start(effect.timer, effect.delay, () =>
        step(core, live, { kind: 'timer', timer: effect.timer, now: core.clock.now() }),
      );
      return;
    case 'stop':
      live.timers.stop(effect.timer);
      return;
    case 'refresh':
      refresh(core, live, effect.intervalSeconds);
      return;
    case 'bye':
      end(core, live);
  }
}

function end(core: Core, live: LiveDialog): void {
  endByServer(core, live, 'Session timer expired').catch(() =>
    core.log.warn({}, 'BYE of an expired session could not be sent'),
  );
}

function fail(core: Core, live: LiveDialog, response: HasHeaders & { status: number }): void {
  const minSe = parseDeltaSeconds(header(response, 'min-se') ?? '');
  // RFC 3261 §14.1: who began the call waits longer.
  const wait =
    live.state.role === 'uac' ? core.ids.between(2_100, 4_000) : core.ids.between(0, 2_000);
  step(core, live, {
    kind: 'failed',
    status: response.status,
    ...(minSe !== undefined && { minSeSeconds: minSe }),
    wait,
    now: core.clock.now(),
  });
}

function refresh(core: Core, live: LiveDialog, intervalSeconds: number): void {
  if (live.clientInvite || live.serverInvite || live.hasClientUpdate) {
    // §14.1: no INVITE while another is under way; as if the peer had said so.
    fail(core, live, { status: 491, headers: [] });
    return;
  }
  const terms = { intervalSeconds, isRefresher: true };
  sendRefresh(core, { live, terms }, ({ response, received }) => {
    if (response.status >= 300) {
      fail(core, live, response);
      return;
    }
    if (received) live.state = refreshTarget(live.state, response, received);
    // A peer that knows no timers answers without them; we go on refreshing (§7.2).
    agree(core, live, termsOfAnswer(response) ?? terms);
  });
}
