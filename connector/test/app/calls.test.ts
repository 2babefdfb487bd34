import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AudioFormat } from '../../src/media/format.ts';
import { toneShareInPieces } from '../support/goertzel.ts';
import { toneFor } from '../support/openai-simulator.ts';
import type { Turn } from '../support/openai-simulator-session.ts';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { untilBound } from '../support/until-bound.ts';
import { expectIdle, type Site, type SiteOptions, startSite, untilCalls } from './site.ts';

const own = (name: string) => join(import.meta.dirname, 'scenarios', `${name}.xml`);
const shared = (name: string) => resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);

const soon = { timeout: 5000, interval: 5 };

let site: Site | undefined;

async function start(options: SiteOptions = {}): Promise<Site> {
  site = await startSite(options);
  return site;
}

afterEach(async () => {
  await site?.close();
  site = undefined;
});

test.each(['udp', 'tcp'] as const)('over %s a caller hears the agent and is heard', async (way) => {
  const phone = await TonePhone.open(31_500);
  const { udp, tcp, simulator, ending } = await start();
  const transport = way === 'udp' ? 'u1' : 't1';
  const target = way === 'udp' ? udp : tcp;
  const result = await sipp({
    scenario: shared('call'),
    target,
    flags: `-t ${transport} -s pizza -key rtp_port 31500`,
  });
  phone.close();
  expect(result.errors).toBe('');
  // The greeting is the simulator's tone of 1 kHz; the phone's own is one of 440 Hz.
  const heard = phone.heard();
  expect(heard.length).toBeGreaterThan(8000);
  const begin = heard.findIndex((sample) => Math.abs(sample) > 1000);
  expect(toneShareInPieces(heard.subarray(begin, begin + 480), 1000)).toBeGreaterThan(0.8);
  expect(simulator.session.receivedAudioBytes).toBeGreaterThan(8000);
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

test.each([
  { name: 'G.729 only', scenario: 'g729-only', reason: 'media-not-acceptable' },
  { name: 'no SDP but a delayed offer', scenario: 'no-sdp', reason: 'caller-hung-up' },
  { name: 'hold and resume', scenario: 'hold', reason: 'caller-hung-up' },
])('a call with $name goes as the RFCs say', async ({ scenario, reason }) => {
  const { udp, ending } = await start();
  const result = await sipp({
    scenario: shared(scenario),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
  expect(ending().reason).toBe(reason);
});

test('a body that is no SDP gets 415', async () => {
  const { udp } = await start();
  const result = await sipp({
    scenario: shared('not-sdp'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
});

test('a caller who gives up while the session opens leaves nothing', async () => {
  const { udp, ending, simulator } = await start({ simulator: { openDelay: 20_000 } });
  const result = await sipp({
    scenario: shared('cancel'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'cancelled', reason: 'caller-cancelled' });
  await expect.poll(() => simulator.sessions.every((session) => session.isClosed)).toBe(true);
});

test('every request in a dialog gets the answer it should', async () => {
  const { udp } = await start();
  const result = await sipp({
    scenario: own('in-dialog'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
});

/** The keys that the model was told of. */
function keysIn({ simulator }: Site): string[] {
  const texts = JSON.stringify(simulator.session.items);
  return [...texts.matchAll(/pressed the key (.)/g)].map(([, key = '']) => key);
}

test('keys come to the model once each, by RTP and by INFO, and are not heard', async () => {
  const { udp, simulator } = await start();
  const phone = await TonePhone.open(31_518);
  const byRtp = sipp({
    scenario: shared('call'),
    target: udp,
    flags: '-s pizza -key rtp_port 31518',
  });
  await expect.poll(() => simulator.sessions[0]?.receivedAudioBytes ?? 0, soon).toBeGreaterThan(0);
  phone.press(5);
  await expect.poll(() => keysIn(site!), soon).toEqual(['5']);
  phone.press(11);
  await expect.poll(() => keysIn(site!), soon).toEqual(['5', '#']);
  expect((await byRtp).errors).toBe('');
  phone.close();
  // All that was heard is frames of the tone: an event's four bytes would have shifted them.
  expect(simulator.session.receivedAudioBytes % 160).toBe(0);
  await expectIdle(site!);
  simulator.sessions.length = 0;
  const byInfo = await sipp({
    scenario: own('in-dialog'),
    target: udp,
    flags: '-s pizza -key rtp_port 31520',
  });
  expect([byInfo.errors, keysIn(site!)]).toEqual(['', ['5']]);
  await expectIdle(site!);
});

test('a caller who requires reliable provisionals gets them', async () => {
  // The session opens late, so that the PRACK comes before the 200.
  const { udp } = await start({ simulator: { openDelay: 300 } });
  const result = await sipp({
    scenario: own('reliable'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
});

const tools = [
  {
    name: 'transfer',
    transfer: { destinations: [{ name: 'kitchen', to: 'sip:kitchen@127.0.0.1:9' }] },
  },
  { name: 'hang_up', hangUp: {} },
];

/** A model that calls a tool first of all and talks from then on. */
function calling(name: string, text = '') {
  const calls = [{ name, arguments: name === 'transfer' ? '{"destination":"kitchen"}' : '{}' }];
  let turns = 0;
  return (_: Turn, law: AudioFormat) => {
    turns += 1;
    if (turns === 1) return { text, audio: toneFor(text, law), toolCalls: calls };
    return { text: 'Well.', audio: toneFor('Well.', law) };
  };
}

test('the agent hangs up', async () => {
  const { udp, ending } = await start({
    agent: { tools },
    simulator: { reply: calling('hang_up', 'Bye.') },
  });
  const result = await sipp({
    scenario: own('agent-bye'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'completed', reason: 'agent-hung-up' });
});

test.each([
  { scenario: 'refer', want: { result: 'transferred', reason: 'transferred' } },
  { scenario: 'refer-busy', want: { result: 'completed', reason: 'caller-hung-up' } },
  { scenario: 'refer-refused', want: { result: 'completed', reason: 'caller-hung-up' } },
])('a transfer as in $scenario ends $want.result', async ({ scenario, want }) => {
  const { udp, ending } = await start({
    agent: { tools },
    // So that the model wants it when the call is up.
    simulator: { reply: calling('transfer'), thinkTime: 300 },
  });
  const result = await sipp({
    scenario: own(scenario),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual(want);
});

test('a provider that does not open is a 480', async () => {
  const { ending, udp } = await start({
    simulator: { refuse: { status: 401, code: 'invalid_api_key' } },
  });
  const result = await sipp({
    scenario: shared('call'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(result.errors).toContain('480');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'failed', reason: 'provider-failed' });
});

test('one call more than maxCalls is refused, and the next after that is taken', async () => {
  const { udp, app } = await start({ agent: { maxCalls: 1 } });
  const first = sipp({
    scenario: shared('call'),
    target: udp,
    flags: '-s pizza -key rtp_port 31504',
  });
  await untilCalls(site!, 1);
  const full = await fetch(`${app.httpUrl}/readyz`);
  expect([full.status, await full.json()]).toMatchObject([429, { state: 'full' }]);
  const second = await sipp({
    scenario: own('refused'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect([second.errors, (await first).errors]).toEqual(['', '']);
  await expectIdle(site!);
  const third = await sipp({
    scenario: shared('short-call'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  expect(third.errors).toBe('');
  await expectIdle(site!);
});

test('draining waits for the call that is up and refuses others', async () => {
  const { udp, app } = await start();
  const first = sipp({
    scenario: shared('call'),
    target: udp,
    flags: '-s pizza -key rtp_port 31506',
  });
  await untilCalls(site!, 1);
  const drained = app.drain(20_000);
  const refused = await sipp({
    scenario: own('refused'),
    target: udp,
    flags: '-s pizza -key rtp_port 31502',
  });
  const readiness = await fetch(`${app.httpUrl}/readyz`);
  expect([refused.errors, readiness.status, app.activeCalls()]).toEqual(['', 503, 1]);
  await drained;
  expect((await first).errors).toBe('');
  await expectIdle(site!);
});

test('draining ends by BYE what is still up at its limit', async () => {
  const { udp, app, ending } = await start();
  const call = sipp({
    scenario: own('agent-bye'),
    target: udp,
    flags: '-s pizza -key rtp_port 31508',
  });
  await untilCalls(site!, 1);
  await expect.poll(() => app.held().dialogs).toBe(1);
  await app.drain(300);
  expect((await call).errors).toBe('');
  expect(app.held()).toEqual({ calls: 0, dialogs: 0, endpoints: 0 });
  expect(ending()).toEqual({ result: 'failed', reason: 'draining' });
});

test('the API lists, shows and ends calls', async () => {
  const { udp, app, ending } = await start({ http: { tokenEnv: 'API_TOKEN' } });
  const headers = { authorization: 'Bearer secret' };
  const call = sipp({
    scenario: own('agent-bye'),
    target: udp,
    flags: '-s pizza -key rtp_port 31510',
  });
  await expect.poll(() => app.held().dialogs).toBe(1);
  const list = (await (await fetch(`${app.httpUrl}/v1/calls`, { headers })).json()) as {
    calls: { id: string; direction: string }[];
  };
  expect(list.calls).toMatchObject([{ direction: 'inbound' }]);
  const url = `${app.httpUrl}/v1/calls/${list.calls[0]!.id}`;
  const ended = await fetch(url, { method: 'DELETE', headers });
  expect(ended.status).toBe(204);
  expect((await call).errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'completed', reason: 'api-hung-up' });
  const detail = await (await fetch(url, { headers })).json();
  expect(detail).toMatchObject({ state: 'ended', termination: { reason: 'api-hung-up' } });
});

test('a destination that no list allows is not dialled', async () => {
  const { app } = await start({ http: { tokenEnv: 'API_TOKEN' } });
  const response = await fetch(`${app.httpUrl}/v1/calls`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    body: JSON.stringify({ to: 'sip:bob@127.0.0.1:9' }),
  });
  expect([response.status, await response.json()]).toMatchObject([
    403,
    { code: 'DESTINATION_FORBIDDEN' },
  ]);
});

/** Places a call through the API. */
async function place({ app }: Site, to: string): Promise<string> {
  const response = await fetch(`${app.httpUrl}/v1/calls`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    body: JSON.stringify({ to }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

const outbound = {
  http: { tokenEnv: 'API_TOKEN' },
  sip: { destinations: ['sip:bob@127.0.0.1:*'] },
};

test('somebody who is called hears the agent as soon as he answers', async () => {
  const phone = await TonePhone.open(31_514);
  const { app, ending } = await start(outbound);
  const callee = sipp({ scenario: own('answer'), flags: '-p 31515 -key rtp_port 31514' });
  await untilBound(31_515);
  const id = await place(site!, 'sip:bob@127.0.0.1:31515');
  await expect.poll(() => phone.heard().some((sample) => Math.abs(sample) > 1000)).toBe(true);
  const url = `${app.httpUrl}/v1/calls/${id}`;
  await fetch(url, { method: 'DELETE', headers: { authorization: 'Bearer secret' } });
  expect((await callee).errors).toBe('');
  phone.close();
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'completed', reason: 'api-hung-up' });
});

test('somebody who is busy ends the call that was placed', async () => {
  const { ending } = await start(outbound);
  const callee = sipp({ scenario: own('busy'), flags: '-p 31517' });
  await untilBound(31_517);
  await place(site!, 'sip:bob@127.0.0.1:31517');
  expect((await callee).errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'rejected', reason: 'callee-refused' });
});
