import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sipp } from '../support/sipp.ts';
import { askSip, Pod, type PodOptions } from './pod.ts';

const scenario = (name: string) =>
  resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);
const soon = { timeout: 3000, interval: 20 };

let pod: Pod;

async function start(options: PodOptions = {}): Promise<Pod> {
  pod = await Pod.start(options);
  return pod;
}

afterEach(async () => {
  await pod.close();
});

async function call(name: string, port: number): Promise<void> {
  const flags = `-s pizza -key rtp_port ${port}`;
  const { errors } = await sipp({ scenario: scenario(name), target: pod.at('udp'), flags });
  expect(errors).toBe('');
}

/** What the session was told to say and to be. */
const told = () => JSON.stringify(pod.simulator.session.received);
const untilRevision = (revision: string) =>
  expect.poll(() => pod.app.status().revision, soon).toBe(revision);

test('an edit of the agent counts for the next call, and the one that is up keeps what it has', async () => {
  await start();
  await expect.poll(async () => (await pod.status()).provider.reason, soon).toBe('Ready');
  const tried = pod.simulator.sessions.length;
  const first = call('call', 28_300);
  await expect.poll(() => pod.simulator.sessions.length, soon).toBe(tried + 1);
  const { session } = pod.simulator;
  pod.configure({
    revision: 'r2',
    agent: { greeting: 'Good evening.', instructions: 'Be brief.' },
  });
  await untilRevision('r2');
  expect([pod.app.activeCalls(), session.isClosed]).toEqual([1, false]);
  await first;
  expect(JSON.stringify(session.received)).toContain('Good morning.');
  expect(JSON.stringify(session.received)).not.toContain('Good evening.');
  await call('short-call', 28_302);
  expect(told()).toContain('Good evening.');
  expect(told()).toContain('Be brief.');
  expect((await pod.status()).configProblem).toBeUndefined();
});

test('a bad edit is refused with what check says, once, and the old stays in use', async () => {
  await start();
  pod.writeFile('{"agent": {"greting": "Hi."}}');
  const problem = () => pod.app.status().configProblem ?? '';
  await expect.poll(problem, soon).toContain('agent.greting: unknown key; did you mean greeting?');
  expect(problem()).toContain('connector.json:1: agent.providers: required');
  expect((await pod.status()).revision).toBe('r1');
  await call('short-call', 28_304);
  expect(told()).toContain('Good morning.');
  const refusals = pod.messages().filter((text) => text.includes('refused'));
  expect(refusals).toHaveLength(1);
  pod.configure({ revision: 'r3' });
  await untilRevision('r3');
  expect(problem()).toBe('');
});

test('of several agents each call keeps its own through edits, and a bad edit changes none', async () => {
  const pizza = { name: 'pizza', greeting: 'Bella Pizza.' };
  const sales = { name: 'sales', match: ['pizz'], greeting: 'Sales.' };
  await start({ settings: { agents: [pizza, { ...sales, match: [] }] } });
  await expect.poll(async () => (await pod.status()).provider.reason, soon).toBe('Ready');
  const tried = pod.simulator.sessions.length;
  const first = call('call', 28_320);
  await expect.poll(() => pod.simulator.sessions.length, soon).toBe(tried + 1);
  const { session } = pod.simulator;
  pod.configure({ revision: 'r2', agents: [{ ...pizza, disabled: true }, sales] });
  await untilRevision('r2');
  expect([pod.app.activeCalls(), session.isClosed]).toEqual([1, false]);
  await first;
  expect(JSON.stringify(session.received)).toContain('Bella Pizza.');
  pod.configure({ revision: 'r3', agents: [pizza, { ...sales, match: ['(?=look-around)'] }] });
  await expect.poll(() => pod.app.status().configProblem, soon).toContain('agents.1.match.0');
  await call('short-call', 28_322);
  expect(told()).toContain('Sales.');
  pod.configure({ revision: 'r4', agents: [pizza, { ...sales, match: [] }] });
  await untilRevision('r4');
  await call('short-call', 28_324);
  expect(told()).toContain('Bella Pizza.');
});

test('what needs a restart is named, and the rest of the edit counts', async () => {
  await start();
  const { sipAddresses } = pod.app;
  pod.configure({
    revision: 'r2',
    rtp: { ports: '28016-28217' },
    sip: { listen: ['udp://127.0.0.1:28399'] },
    agent: { greeting: 'Hello again.' },
  });
  await untilRevision('r2');
  expect((await pod.status()).configProblem).toBe('needs a restart: sip.listen, rtp');
  expect(pod.app.sipAddresses).toEqual(sipAddresses);
  await call('short-call', 28_306);
  expect(told()).toContain('Hello again.');
  pod.configure({ revision: 'r3', rtp: {}, sip: {} });
  await untilRevision('r3');
  expect((await pod.status()).configProblem).toBeUndefined();
});

test('a wrong key shows, and the right one counts without a restart', async () => {
  await start({ key: 'wrong' });
  await expect
    .poll(async () => (await pod.status()).provider, soon)
    .toEqual({
      isReady: false,
      reason: 'Unauthorized',
      message: 'openai answered HTTP 401 invalid_api_key',
    });
  expect((await pod.ask('/readyz')).status).toBe(200);
  pod.writeKey('right');
  await expect
    .poll(async () => (await pod.status()).provider, soon)
    .toEqual({ isReady: true, reason: 'Ready', message: 'openai answers' });
  await call('short-call', 28_308);
  pod.writeKey('wrong again');
  // A text that can be no key is refused as the edit of a file is.
  await expect.poll(() => pod.app.status().configProblem, soon).toContain('printable ASCII');
  pod.writeKey('wrong-again');
  await expect.poll(() => pod.app.status().provider.reason, soon).toBe('Unauthorized');
  expect(JSON.stringify([pod.log, pod.app.status()])).not.toContain('wrong-again');
});

test('the token that counts is the one in the file', async () => {
  await start();
  pod.writeToken('another');
  await expect
    .poll(async () => (await pod.ask('/v1/status', { token: 'another' })).status, soon)
    .toBe(200);
  expect((await pod.ask('/v1/status', { token: 'token' })).status).toBe(401);
});

test('limits and sources count at once for what is new', async () => {
  await start();
  expect(await askSip(pod.at('udp'), 'OPTIONS')).toContain('SIP/2.0 200');
  pod.configure({ revision: 'r2', sip: { sourceRanges: ['198.51.100.0/24'] } });
  await untilRevision('r2');
  expect(await askSip(pod.at('udp'), 'OPTIONS', { wait: 300 })).toBe('');
  pod.configure({ revision: 'r3', sip: {}, agent: { maxCalls: 1 } });
  await untilRevision('r3');
  const first = call('call', 28_310);
  await expect.poll(() => pod.app.activeCalls(), soon).toBe(1);
  expect(await askSip(pod.at('udp'), 'OPTIONS')).toContain('SIP/2.0 503');
  expect((await pod.ask('/readyz')).status).toBe(429);
  await first;
});

test('an agent that cannot be made of the file is refused too', async () => {
  await start();
  const local = { intents: [{ name: 'hi', phrases: ['hello xqzzyw'] }] };
  pod.configure({ revision: 'r2', agent: { providers: [{ local }] } });
  await expect.poll(() => pod.app.status().configProblem, soon).toContain('xqzzyw');
  expect((await pod.status()).revision).toBe('r1');
  await call('short-call', 28_312);
});
