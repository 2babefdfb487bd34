import { expect, test } from 'vitest';
import { type InviteServerState, initialInviteServer, stepInviteServer } from './invite-server.ts';
import type { ServerEffect, ServerEvent, ServerTimer, Setup } from './machine.ts';
import {
  initialNonInviteServer,
  type NonInviteServerState,
  stepNonInviteServer,
} from './non-invite-server.ts';
import { defaultTimers } from './timers.ts';

const udp: Setup = { timers: defaultTimers, isReliable: false };
const tcp: Setup = { timers: defaultTimers, isReliable: true };
const again: ServerEvent = { kind: 'request' };
const ack: ServerEvent = { kind: 'ack' };
const failure: ServerEvent = { kind: 'transport-error' };
const respond = (status: number): ServerEvent => ({
  kind: 'respond',
  status,
  bytes: Buffer.from(String(status)),
});
const timer = (name: ServerTimer): ServerEvent => ({ kind: 'timer', timer: name });
const last = Buffer.from('last');

/** `send last`, `G=500`, `-G`, `tell ack`, `gone`. */
function brief(effects: readonly ServerEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'send') return `send ${effect.bytes.toString()}`;
    if (effect.kind === 'start') return `${effect.timer}=${effect.delay}`;
    if (effect.kind === 'stop') return `-${effect.timer}`;
    return effect.kind === 'inform' ? `tell ${effect.what}` : effect.kind;
  });
}

const fresh = initialInviteServer;
const ringing: InviteServerState = { name: 'proceeding', last };
const completed: InviteServerState = { name: 'completed', last, interval: 500 };
const later: InviteServerState = { name: 'completed', last, interval: 4_000 };
const confirmed: InviteServerState = { name: 'confirmed' };
const accepted: InviteServerState = { name: 'accepted' };
const gone: InviteServerState = { name: 'gone' };

test.each<[InviteServerState, string, ServerEvent, Setup, string, string[]]>([
  [fresh, 'INVITE', again, udp, 'proceeding', []],
  [fresh, '180', respond(180), udp, 'proceeding', ['send 180']],
  [ringing, 'INVITE', again, udp, 'proceeding', ['send last']],
  [ringing, '183', respond(183), udp, 'proceeding', ['send 183']],
  [ringing, '200', respond(200), udp, 'accepted', ['send 200', 'L=32000']],
  [ringing, '486', respond(486), udp, 'completed', ['send 486', 'H=32000', 'G=500']],
  [ringing, '486 over tcp', respond(486), tcp, 'completed', ['send 486', 'H=32000']],
  [ringing, 'ACK', ack, udp, 'proceeding', []],
  [ringing, 'failure', failure, udp, 'proceeding', []],
  [completed, 'INVITE', again, udp, 'completed', ['send last']],
  [completed, 'another final', respond(200), udp, 'completed', []],
  [completed, 'G', timer('G'), udp, 'completed', ['send last', 'G=1000']],
  [later, 'G at T2', timer('G'), udp, 'completed', ['send last', 'G=4000']],
  [completed, 'H', timer('H'), udp, 'gone', ['tell timeout', 'gone']],
  [completed, 'ACK', ack, udp, 'confirmed', ['-G', '-H', 'I=5000']],
  [completed, 'ACK over tcp', ack, tcp, 'gone', ['gone']],
  [completed, 'failure', failure, udp, 'gone', ['tell transport-error', 'gone']],
  [confirmed, 'INVITE', again, udp, 'confirmed', []],
  [confirmed, 'ACK', ack, udp, 'confirmed', []],
  [confirmed, 'G', timer('G'), udp, 'confirmed', []],
  [confirmed, 'H', timer('H'), udp, 'confirmed', []],
  [confirmed, 'I', timer('I'), udp, 'gone', ['gone']],
  [accepted, 'INVITE', again, udp, 'accepted', []],
  [accepted, '200 again', respond(200), udp, 'accepted', ['send 200']],
  [accepted, '486', respond(486), udp, 'accepted', []],
  [accepted, 'ACK', ack, udp, 'accepted', ['tell ack']],
  [accepted, 'L', timer('L'), udp, 'gone', ['gone']],
  [accepted, 'failure', failure, udp, 'accepted', []],
  [gone, 'INVITE', again, udp, 'gone', []],
  [gone, '200', respond(200), udp, 'gone', []],
  [gone, 'L', timer('L'), udp, 'gone', []],
])('INVITE server: %o, %s', (...[state, , event, setup, next, effects]) => {
  const [result, given] = stepInviteServer(state, event, setup);
  expect([result.name, brief(given)]).toEqual([next, effects]);
});

const trying = initialNonInviteServer;
const proceeding: NonInviteServerState = { name: 'proceeding', last };
const answered: NonInviteServerState = { name: 'completed', last };
const over: NonInviteServerState = { name: 'gone' };

test.each<[NonInviteServerState, string, ServerEvent, Setup, string, string[]]>([
  [trying, 'request', again, udp, 'trying', []],
  [trying, '100', respond(100), udp, 'proceeding', ['send 100']],
  [trying, '200', respond(200), udp, 'completed', ['send 200', 'J=32000']],
  [trying, '200 over tcp', respond(200), tcp, 'gone', ['send 200', 'gone']],
  [proceeding, 'request', again, udp, 'proceeding', ['send last']],
  [proceeding, '404', respond(404), udp, 'completed', ['send 404', 'J=32000']],
  [proceeding, 'failure', failure, udp, 'gone', ['tell transport-error', 'gone']],
  [answered, 'request', again, udp, 'completed', ['send last']],
  [answered, 'another final', respond(500), udp, 'completed', []],
  [answered, 'ACK', ack, udp, 'completed', []],
  [answered, 'J', timer('J'), udp, 'gone', ['gone']],
  [over, 'request', again, udp, 'gone', []],
])('non-INVITE server: %o, %s', (...[state, , event, setup, next, effects]) => {
  const [result, given] = stepNonInviteServer(state, event, setup);
  expect([result.name, brief(given)]).toEqual([next, effects]);
});
