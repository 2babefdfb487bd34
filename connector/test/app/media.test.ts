import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { expectIdle, type Site, type SiteOptions, startSite } from './site.ts';

// What a call does with its media, through SIP, HTTP API and metrics.

const own = (name: string) => join(import.meta.dirname, 'scenarios', `${name}.xml`);
const shared = (name: string) => resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);
const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
const soon = { timeout: 5000, interval: 5 };

let site: Site | undefined;

afterEach(async () => {
  await site?.close();
  site = undefined;
});

async function start(options: SiteOptions = {}): Promise<Site> {
  site = await startSite({ http: { tokenEnv: 'API_TOKEN' }, ...options });
  return site;
}

function call({ udp }: Site, scenario: string, port: number) {
  return sipp({ scenario, target: udp, flags: `-s pizza -key rtp_port ${port}` });
}

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly quality?: { readonly received: { readonly mos: number } };
}

/** The only call, when it talks. */
async function talkingCall({ app }: Site): Promise<Listed> {
  const list = async () => {
    const response = await fetch(`${app.httpUrl}/v1/calls`, { headers });
    return ((await response.json()) as { calls: Listed[] }).calls;
  };
  await expect.poll(async () => (await list())[0]?.state, soon).toBe('talking');
  const [first] = await list();
  if (!first) throw new Error('the call is over');
  return first;
}

async function press({ app }: Site, id: string, digits: string): Promise<number> {
  const body = JSON.stringify({ digits });
  const url = `${app.httpUrl}/v1/calls/${id}/dtmf`;
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

async function metric({ app }: Site, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${app.httpUrl}/metrics`, { headers })).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.split(' ')[1];
}

test('keys of the API go to the caller, and how the call sounded is told', async () => {
  const phone = await TonePhone.open(31_540);
  const here = await start();
  const caller = call(here, shared('call'), 31_540);
  const { id } = await talkingCall(here);
  expect(await press(here, id, '1#')).toBe(202);
  expect([await press(here, id, 'x'), await press(here, 'nobody', '1')]).toEqual([400, 404]);
  await expect.poll(() => phone.keys(), soon).toEqual([1, 11]);
  expect((await talkingCall(here)).quality?.received.mos).toBeGreaterThan(4);
  expect((await caller).errors).toBe('');
  phone.close();
  await expectIdle(here);
  expect(await metric(here, 'parley_call_mos_count{direction="received"}')).toBe('1');
  expect(JSON.stringify(here.log.map((line) => ({ ...line, pii: undefined })))).not.toContain('1#');
});

test('the end of what a caller says is noticed when his phone falls silent by sending nothing', async () => {
  const phone = await TonePhone.open(31_542);
  const here = await start({ agent: { greeting: undefined } });
  const caller = call(here, shared('call'), 31_542);
  await expect
    .poll(() => here.simulator.sessions[0]?.receivedAudioBytes ?? 0, soon)
    .toBeGreaterThan(3200);
  const turns = () =>
    here.log.filter((line) => line.message === 'turn' && line['role'] === 'caller');
  expect(turns()).toEqual([]);
  phone.isMute = true;
  await expect.poll(() => turns().length, soon).toBe(1);
  expect((await caller).errors).toBe('');
  phone.close();
  await expectIdle(here);
});

test('without a port a caller gets 503 and may come again; when one has rested, he is taken', async () => {
  const here = await start({ agent: { maxCalls: 1 }, rtp: { ports: '31560-31561' } });
  const phone = await TonePhone.open(31_544);
  expect((await call(here, shared('short-call'), 31_544)).errors).toBe('');
  await expectIdle(here);
  // The port rests for 30 s.
  expect((await call(here, own('refused'), 31_544)).errors).toBe('');
  await expectIdle(here);
  expect(here.ending()).toEqual({ result: 'rejected', reason: 'capacity' });
  const rejected = 'parley_calls_total{result="rejected",reason="capacity"}';
  expect([await metric(here, rejected), await metric(here, 'parley_rtp_ports_free')]).toEqual([
    '1',
    '0',
  ]);
  here.skip(30_000);
  expect(await metric(here, 'parley_rtp_ports_free')).toBe('1');
  expect((await call(here, shared('short-call'), 31_544)).errors).toBe('');
  phone.close();
  await expectIdle(here);
  expect(here.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});
