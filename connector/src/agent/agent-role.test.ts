import { expect, test } from 'vitest';
import { fakeEndpoint, headers } from '../../test/app/faked-call.ts';
import { FakeIncoming, FakeSignalling } from '../../test/calls/fake-signalling.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { Calls } from '../calls/calls.ts';
import type { SignallingUser } from '../calls/signalling.ts';
import { agentSchema } from '../contract/agent.ts';
import type { Termination } from '../contract/termination.ts';
import { AgentRole } from './agent-role.ts';
import type { AgentSetup, Roster } from './setup.ts';

const agent = agentSchema.parse({
  name: 'pizza',
  maxCalls: 2,
  providers: [{ local: { intents: [{ name: 'hi', phrases: ['hello'] }] } }],
});

const louder = { ...agent, maxCalls: 1 };

function setupOf(destinations: string[], release: () => void = () => undefined): AgentSetup {
  return { agent, providers: [new FakeProvider()], speaker: undefined, destinations, release };
}

function rosterOf(setup: AgentSetup, others: Partial<Roster> = {}): Roster {
  const { maxCalls } = setup.agent;
  return { setups: [setup], maxCalls, choose: () => setup, ...others };
}

async function setUp(over: { destinations?: string[]; ports?: Error } = {}) {
  const clock = new FakeClock();
  const told: string[] = [];
  const ended: Termination[] = [];
  let ids = 0;
  const role = new AgentRole({
    roster: rosterOf(setupOf(over.destinations ?? [])),
    media: {
      createEndpoint: () =>
        over.ports ? Promise.reject(over.ports) : Promise.resolve(fakeEndpoint({ told })),
    },
    clock,
    random: () => 0.5,
    newId: () => `call-${++ids}`,
    log: silentLog,
    metrics: {
      callEnded: (termination) => void ended.push(termination),
      callSetUp: () => undefined,
      firstAudio: () => undefined,
      bargeInStopped: () => undefined,
      providerOpened: () => undefined,
      providerFault: () => undefined,
      toolCalled: () => undefined,
      callQuality: () => undefined,
    },
  });
  const signalling = new FakeSignalling();
  const calls = new Calls({ clock, log: silentLog, sessionSeconds: 1800, nonce: () => 'n' }, role);
  let server: SignallingUser | undefined;
  await calls.connect(async (user) => {
    server = user;
    return signalling;
  });
  role.connect(calls);
  /** `added`: headers of a request that begins something new. */
  const receive = async (method: string, callId: string, added?: object) => {
    const incoming = new FakeIncoming({
      method,
      dialog: added ? '' : `${callId};from-tag=t1`,
      headers: { ...headers, 'call-id': callId, ...added },
      body: added ? 'v=0' : '',
    });
    server?.onRequest(incoming);
    await clock.advanceAsync(0);
    return incoming;
  };
  /** A call that is up. */
  const call = async (callId: string) => {
    const invite = await receive('INVITE', callId, {});
    await receive('ACK', callId);
    return invite;
  };
  return { role, clock, signalling, ended, receive, call, told };
}

test('calls are listed while they are, and found for a while after', async () => {
  const { role, call, receive } = await setUp();
  await call('a');
  expect(role.list()).toMatchObject([{ id: 'call-1', direction: 'inbound', state: 'talking' }]);
  await receive('BYE', 'a');
  expect(role.list()).toEqual([]);
  expect(role.find('call-1')).toMatchObject({
    state: 'ended',
    from: 'sip:ann@127.0.0.4',
    to: 'sip:pizza@127.0.0.1',
    termination: { result: 'completed', reason: 'caller-hung-up' },
  });
  expect(role.find('call-9')).toBeUndefined();
});

test('what is over the limit is refused and is no call', async () => {
  const { role, call, receive, ended } = await setUp();
  await call('a');
  await call('b');
  const third = await receive('INVITE', 'c', {});
  expect(third.responses).toMatchObject([{ status: 503, headers: { 'Retry-After': '5' } }]);
  expect([role.activeCalls, ended]).toEqual([2, [{ result: 'rejected', reason: 'capacity' }]]);
  await receive('BYE', 'a');
  expect((await call('d')).statuses).toEqual([180, 200]);
});

test('an INVITE that asks for what is not here is refused, and told of as a call', async () => {
  const { role, receive, ended } = await setUp();
  const incoming = await receive('INVITE', 'a', { require: 'sec-agree' });
  expect(incoming.responses).toMatchObject([
    { status: 420, headers: { Unsupported: 'sec-agree' } },
  ]);
  expect([role.activeCalls, ended]).toEqual([0, [{ result: 'rejected', reason: 'unsupported' }]]);
});

test('only the last hundred ended calls are kept', async () => {
  const { role, call, receive } = await setUp();
  for (let number = 1; number <= 101; number++) {
    await call(`c${number}`);
    await receive('BYE', `c${number}`);
  }
  expect(role.find('call-1')).toBeUndefined();
  expect(role.find('call-2')).toBeDefined();
});

test('OPTIONS says whether a call can come', async () => {
  const { role, receive } = await setUp();
  expect((await receive('OPTIONS', 'o', {})).statuses).toEqual([200]);
  await role.drain(1000);
  expect((await receive('OPTIONS', 'o', {})).responses).toMatchObject([
    { status: 503, headers: { 'Retry-After': '30' } },
  ]);
});

test('a call is hung up for the API', async () => {
  const { role, call, ended, signalling } = await setUp();
  await call('a');
  expect([role.hangUp('call-1'), role.hangUp('call-1'), role.hangUp('x')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([ended, signalling.methods]).toEqual([
    [{ result: 'completed', reason: 'api-hung-up' }],
    ['BYE'],
  ]);
});

test('a drain waits for the calls that are up', async () => {
  const { role, call, receive, clock } = await setUp();
  await call('a');
  const drained = role.drain(60_000);
  expect((await receive('INVITE', 'b', {})).statuses).toEqual([503]);
  await clock.advanceAsync(20_000);
  expect([role.activeCalls, role.isDraining]).toEqual([1, true]);
  await receive('BYE', 'a');
  await drained;
  expect(clock.pending).toBe(0);
});

test('a drain ends by BYE what is up at its limit', async () => {
  const { role, call, signalling, clock, ended } = await setUp();
  await call('a');
  const drained = role.drain(5000);
  await clock.advanceAsync(5000);
  expect(signalling.methods).toEqual(['BYE']);
  signalling.last.reply(200);
  await drained;
  expect(ended).toEqual([{ result: 'failed', reason: 'draining' }]);
});

test('a caller who does not answer BYE holds no drain for long', async () => {
  const { role, call, clock } = await setUp();
  await call('a');
  const closed = role.close();
  await clock.advanceAsync(5000);
  await closed;
  expect(role.activeCalls).toBe(0);
});

test('a second drain hurries the first', async () => {
  const { role, call, signalling, clock } = await setUp();
  await call('a');
  const first = role.drain(3_600_000);
  const second = role.drain(0);
  await clock.advanceAsync(0);
  signalling.last.reply(200);
  await Promise.all([first, second]);
  expect([role.activeCalls, clock.pending]).toEqual([0, 0]);
});

test('a call is placed where the list allows it', async () => {
  const { role, signalling, clock } = await setUp({ destinations: ['sip:*@example.com'] });
  const { id } = await role.place({ to: 'sip:bob@example.com' });
  await clock.advanceAsync(0);
  expect(signalling.last.draft).toMatchObject({
    method: 'INVITE',
    uri: 'sip:bob@example.com',
    headers: { From: '<sip:pizza@localhost>' },
  });
  expect(role.list()).toMatchObject([{ id, direction: 'outbound', state: 'ringing' }]);
});

test.each([
  { name: 'the list lacks', destinations: [], code: 'DESTINATION_FORBIDDEN' },
  {
    name: 'finds no port',
    destinations: ['sip:*@example.com'],
    ports: new ConnectorError('RTP_PORTS_EXHAUSTED', 'none'),
    code: 'RTP_PORTS_EXHAUSTED',
  },
])('a call that $name is not placed', async ({ code, ...over }) => {
  const { role, signalling } = await setUp(over);
  await expect(role.place({ to: 'sip:bob@example.com' })).rejects.toMatchObject({ code });
  expect([role.activeCalls, signalling.sent]).toEqual([0, []]);
});

test('no call is placed while draining, nor one too many', async () => {
  const { role, call } = await setUp({ destinations: ['sip:*@example.com'] });
  await call('a');
  await call('b');
  const place = () => role.place({ to: 'sip:bob@example.com' });
  await expect(place()).rejects.toMatchObject({ code: 'RTP_PORTS_EXHAUSTED' });
  void role.drain(1000);
  await expect(place()).rejects.toMatchObject({ code: 'DRAINING' });
});

test('RTP is counted over calls that are and that were', async () => {
  const { role, call, receive } = await setUp();
  await call('a');
  await receive('BYE', 'a');
  await call('b');
  expect(role.traffic()).toMatchObject({ packetsReceived: 2, packetsSent: 4 });
});

test('a call keeps the setup it began with, the next has the new one', async () => {
  const { role, call, receive } = await setUp();
  const released: string[] = [];
  const first = setupOf([], () => void released.push('first'));
  const second = { ...setupOf([], () => void released.push('second')), agent: louder };
  role.use(rosterOf(first));
  await call('a');
  role.use(rosterOf(second));
  expect(released).toEqual([]);
  await receive('BYE', 'a');
  expect(released).toEqual(['first']);
  await call('b');
  expect((await call('c')).statuses).toEqual([503]);
  const [old, current] = [first, second].map(({ providers }) => providers[0] as FakeProvider);
  expect([old?.attempts, current?.attempts]).toEqual([1, 1]);
  await receive('BYE', 'b');
  expect(released).toEqual(['first']);
});

test('a setup that no call uses is released when it is replaced', async () => {
  const { role, receive } = await setUp();
  const released: string[] = [];
  role.use(rosterOf(setupOf([], () => void released.push('first'))));
  role.setDraining(true);
  await receive('INVITE', 'a', {});
  expect(released).toEqual([]);
  role.use(rosterOf(setupOf([])));
  expect(released).toEqual(['first']);
});

test('a drain that was asked for can be taken back, and each change counts', async () => {
  const { role, call, receive } = await setUp();
  await call('a');
  role.setDraining(true);
  role.setDraining(true);
  const refused = await receive('INVITE', 'b', {});
  expect(refused.responses).toMatchObject([{ status: 503, headers: { 'Retry-After': '30' } }]);
  expect([role.isDraining, role.drainEpoch, role.activeCalls]).toEqual([true, 1, 1]);
  role.setDraining(false);
  expect((await call('c')).statuses).toEqual([180, 200]);
  expect([role.isDraining, role.drainEpoch, role.activeCalls]).toEqual([false, 2, 2]);
});

test('nobody takes back the drain of a process that ends', async () => {
  const { role, receive } = await setUp();
  await role.drain(1000);
  role.setDraining(false);
  expect([role.isDraining, role.drainEpoch]).toEqual([true, 1]);
  expect((await receive('INVITE', 'a', {})).statuses).toEqual([503]);
});

test('the dialled user decides who answers, and nobody is 480', async () => {
  const { role, call } = await setUp();
  const [first, second] = [setupOf([]), setupOf([])];
  const setups = [first, { ...second, agent: { ...agent, name: 'sales' } }];
  role.use({ setups, maxCalls: 9, choose: () => setups[1] });
  expect((await call('a')).statuses).toEqual([180, 200]);
  const attempts = setups.map(({ providers }) => (providers[0] as FakeProvider).attempts);
  expect(attempts).toEqual([0, 1]);
  role.use({ setups: [], maxCalls: 9, choose: () => undefined });
  expect((await call('b')).statuses).toEqual([480]);
});

test('an agent that has all its calls is busy, while the others answer', async () => {
  const { role, call } = await setUp();
  const one = { ...setupOf([]), agent: louder };
  const other = { ...setupOf([]), agent: { ...agent, name: 'sales' } };
  let chosen = one;
  role.use({ setups: [one, other], maxCalls: 3, choose: () => chosen });
  expect((await call('a')).statuses).toEqual([180, 200]);
  expect((await call('b')).statuses).toEqual([486]);
  chosen = other;
  expect((await call('c')).statuses).toEqual([180, 200]);
});

test('a setup of one call counts for that call and is released with it', async () => {
  const { role, call, receive } = await setUp();
  const released: string[] = [];
  const own = setupOf([], () => void released.push('own'));
  const setup = setupOf([]);
  const roster = rosterOf(setup, { override: () => Promise.resolve(own) });
  role.use(roster);
  await call('a');
  expect(released).toEqual([]);
  await receive('BYE', 'a');
  expect(released).toEqual(['own']);
  const attempts = [own, setup].map(({ providers }) => (providers[0] as FakeProvider).attempts);
  expect(attempts).toEqual([1, 0]);
});
