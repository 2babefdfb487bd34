import { expect, test } from 'vitest';
import { type InviteClientState, startInviteClient, stepInviteClient } from './invite-client.ts';
import type { ClientEffect, ClientEvent, ClientTimer, Setup } from './machine.ts';
import {
  type NonInviteClientState,
  startNonInviteClient,
  stepNonInviteClient,
} from './non-invite-client.ts';
import { defaultTimers } from './timers.ts';

const bytes = Buffer.from('request');
const udp: Setup = { timers: defaultTimers, isReliable: false };
const tcp: Setup = { timers: defaultTimers, isReliable: true };
const response = (status: number): ClientEvent => ({ kind: 'response', status });
const timer = (name: ClientTimer): ClientEvent => ({ kind: 'timer', timer: name });
const failure: ClientEvent = { kind: 'transport-error' };

/** `send`, `send-ack`, `A=500`, `-A`, `tell response`, `gone`. */
function brief(effects: readonly ClientEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'start') return `${effect.timer}=${effect.delay}`;
    if (effect.kind === 'stop') return `-${effect.timer}`;
    return effect.kind === 'inform' ? `tell ${effect.what}` : effect.kind;
  });
}

test.each([
  {
    name: 'udp',
    setup: udp,
    invite: ['send', 'B=32000', 'A=500'],
    other: ['send', 'F=32000', 'E=500'],
  },
  { name: 'tcp', setup: tcp, invite: ['send', 'B=32000'], other: ['send', 'F=32000'] },
])('over $name a client transaction starts', ({ setup, invite, other }) => {
  expect(brief(startInviteClient(bytes, setup)[1])).toEqual(invite);
  expect(brief(startNonInviteClient(bytes, setup)[1])).toEqual(other);
});

const calling: InviteClientState = { name: 'calling', bytes, interval: 500 };
const inProgress: InviteClientState = { name: 'proceeding' };
const accepted: InviteClientState = { name: 'accepted' };
const completed: InviteClientState = { name: 'completed' };
const gone: InviteClientState = { name: 'gone' };

test.each<[InviteClientState, string, ClientEvent, Setup, string, string[]]>([
  [calling, '100', response(100), udp, 'proceeding', ['-A', '-B', 'tell response']],
  [calling, '200', response(200), udp, 'accepted', ['-A', '-B', 'M=32000', 'tell response']],
  [
    calling,
    '486',
    response(486),
    udp,
    'completed',
    ['-A', '-B', 'send-ack', 'tell response', 'D=32000'],
  ],
  [
    calling,
    '486 over tcp',
    response(486),
    tcp,
    'gone',
    ['-A', '-B', 'send-ack', 'tell response', 'gone'],
  ],
  [calling, 'A', timer('A'), udp, 'calling', ['send', 'A=1000']],
  [calling, 'B', timer('B'), udp, 'gone', ['tell timeout', 'gone']],
  [calling, 'failure', failure, udp, 'gone', ['tell transport-error', 'gone']],
  [inProgress, '180', response(180), udp, 'proceeding', ['tell response']],
  [inProgress, '200', response(200), udp, 'accepted', ['-A', '-B', 'M=32000', 'tell response']],
  [
    inProgress,
    '603',
    response(603),
    udp,
    'completed',
    ['-A', '-B', 'send-ack', 'tell response', 'D=32000'],
  ],
  [inProgress, 'A', timer('A'), udp, 'proceeding', []],
  [inProgress, 'B', timer('B'), udp, 'proceeding', []],
  [inProgress, 'failure', failure, udp, 'gone', ['tell transport-error', 'gone']],
  [accepted, '180', response(180), udp, 'accepted', []],
  [accepted, '200', response(200), udp, 'accepted', ['tell response']],
  [accepted, '486', response(486), udp, 'accepted', []],
  [accepted, 'M', timer('M'), udp, 'gone', ['gone']],
  [accepted, 'failure', failure, udp, 'accepted', []],
  [completed, '180', response(180), udp, 'completed', []],
  [completed, '200', response(200), udp, 'completed', []],
  [completed, '486', response(486), udp, 'completed', ['send-ack']],
  [completed, 'D', timer('D'), udp, 'gone', ['gone']],
  [completed, 'failure', failure, udp, 'gone', ['gone']],
  [gone, '200', response(200), udp, 'gone', []],
  [gone, 'failure', failure, udp, 'gone', []],
])('INVITE client: %o, %s', (...[state, , event, setup, next, effects]) => {
  const [result, done] = stepInviteClient(state, event, setup);
  expect([result.name, brief(done)]).toEqual([next, effects]);
});

test('an INVITE is repeated at ever longer intervals', () => {
  const delays: string[] = [];
  let [state] = startInviteClient(bytes, udp);
  for (let round = 0; round < 6; round++) {
    const [next, effects] = stepInviteClient(state, timer('A'), udp);
    delays.push(brief(effects)[1] ?? '');
    state = next;
  }
  expect(delays).toEqual(['A=1000', 'A=2000', 'A=4000', 'A=8000', 'A=16000', 'A=32000']);
});

const trying: NonInviteClientState = { name: 'trying', bytes, interval: 500 };
const later: NonInviteClientState = { name: 'trying', bytes, interval: 4_000 };
const proceeding: NonInviteClientState = { name: 'proceeding', bytes, interval: 500 };
const done: NonInviteClientState = { name: 'completed' };
const over: NonInviteClientState = { name: 'gone' };

test.each<[NonInviteClientState, string, ClientEvent, Setup, string, string[]]>([
  [trying, '100', response(100), udp, 'proceeding', ['tell response']],
  [trying, '200', response(200), udp, 'completed', ['-E', '-F', 'tell response', 'K=5000']],
  [trying, '404 over tcp', response(404), tcp, 'gone', ['-E', '-F', 'tell response', 'gone']],
  [trying, 'E', timer('E'), udp, 'trying', ['send', 'E=1000']],
  [later, 'E at T2', timer('E'), udp, 'trying', ['send', 'E=4000']],
  [trying, 'F', timer('F'), udp, 'gone', ['tell timeout', 'gone']],
  [trying, 'failure', failure, udp, 'gone', ['tell transport-error', 'gone']],
  [proceeding, '183', response(183), udp, 'proceeding', ['tell response']],
  [proceeding, 'E', timer('E'), udp, 'proceeding', ['send', 'E=4000']],
  [proceeding, 'F', timer('F'), udp, 'gone', ['tell timeout', 'gone']],
  [proceeding, '500', response(500), udp, 'completed', ['-E', '-F', 'tell response', 'K=5000']],
  [done, '200', response(200), udp, 'completed', []],
  [done, 'failure', failure, udp, 'completed', []],
  [done, 'K', timer('K'), udp, 'gone', ['gone']],
  [over, '200', response(200), udp, 'gone', []],
])('non-INVITE client: %o, %s', (...[state, , event, setup, next, effects]) => {
  const [result, given] = stepNonInviteClient(state, event, setup);
  expect([result.name, brief(given)]).toEqual([next, effects]);
});

test('timers may be shorter or longer than those of the RFC', () => {
  const quick: Setup = { timers: { t1: 10, t2: 40, t4: 50 }, isReliable: false };
  expect(brief(startInviteClient(bytes, quick)[1])).toEqual(['send', 'B=640', 'A=10']);
  // Timer D is at least 32 s, for the far end may have longer ones (§17.1.1.2).
  const [, effects] = stepInviteClient(inProgress, response(486), quick);
  expect(brief(effects)).toContain('D=32000');
});
