import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { Peer } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { untilBound } from '../support/until-bound.ts';
import { expectIdle, type Site, startSite } from './site.ts';

/** Calls that the connector places to those who ask who it is; the answers are computed anew here. */

let site: Site;
let peer: Peer;

afterEach(async () => {
  peer.close();
  await site.close();
});

async function start(credentials: readonly object[]): Promise<void> {
  site = await startSite({
    http: { tokenEnv: 'API_TOKEN' },
    sip: { destinations: ['sip:bob@127.0.0.1:*'], credentials },
  });
  peer = await Peer.open();
}

const authorization = { authorization: 'Bearer secret' };

/** Places a call through the API; gives its URL there. */
async function place(): Promise<string> {
  const response = await fetch(`${site.app.httpUrl}/v1/calls`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ to: `sip:bob@${peer.address}` }),
  });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  return `${site.app.httpUrl}/v1/calls/${id}`;
}

async function stateOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: authorization });
  return ((await response.json()) as { state: string }).state;
}

/** `nonce` may have parameters behind it. */
function challenge(request: SipRequest, realm: string, nonce: string): void {
  const [value, ...more] = nonce.split(';');
  const parameters = [`realm="${realm}"`, `nonce="${value}"`, 'qop="auth"', ...more];
  peer.answer(request, 407, {
    extra: [{ name: 'Proxy-Authenticate', value: `Digest ${parameters.join(', ')}` }],
  });
}

const md5 = (...parts: string[]) => createHash('md5').update(parts.join(':')).digest('hex');

/** Whether a request proves that its sender knows the password, for that nonce. */
function proves(request: SipRequest, of: { realm: string; nonce: string; user: string }): boolean {
  const value = header(request, 'proxy-authorization') ?? '';
  const get = (name: string) =>
    new RegExp(`(?:^|[ ,])${name}=(?:"([^"]*)"|([^, ]*))`).exec(value)?.slice(1).join('') ?? '';
  const ha1 = md5(of.user, of.realm, 'secret');
  const ha2 = md5(request.method, request.uri);
  const want = md5(ha1, of.nonce, get('nc'), get('cnonce'), 'auth', ha2);
  return get('username') === of.user && get('uri') === request.uri && get('response') === want;
}

const sequenceOf = (request: SipRequest) => Number.parseInt(header(request, 'cseq') ?? '', 10);

test('INVITE and BYE are sent again with the credentials of the realm', async () => {
  await start([
    { user: 'anybody', passwordEnv: 'API_TOKEN' },
    { realm: 'trunk', user: 'alice', passwordEnv: 'API_TOKEN' },
  ]);
  const url = await place();
  const invite = await peer.request('INVITE');
  challenge(invite, 'trunk', 'n1');
  await peer.request('ACK');
  const again = await peer.request('INVITE');
  expect(proves(again, { realm: 'trunk', nonce: 'n1', user: 'alice' })).toBe(true);
  expect(header(again, 'call-id')).toBe(header(invite, 'call-id'));
  expect(sequenceOf(again)).toBe(sequenceOf(invite) + 1);
  peer.answer(again, 200, { body: sdp('bob') });
  const ack = await peer.request('ACK');
  // RFC 3261 §22.3: the ACK has what its INVITE had.
  expect(header(ack, 'proxy-authorization')).toBe(header(again, 'proxy-authorization'));
  const deleted = fetch(url, { method: 'DELETE', headers: authorization });
  const bye = await peer.request('BYE');
  challenge(bye, 'elsewhere', 'n2');
  const byeAgain = await peer.request('BYE');
  expect(proves(byeAgain, { realm: 'elsewhere', nonce: 'n2', user: 'anybody' })).toBe(true);
  expect(sequenceOf(byeAgain)).toBe(sequenceOf(bye) + 1);
  peer.answer(byeAgain, 200);
  await deleted;
  await expectIdle(site);
});

test('a nonce that is too old is answered once more, wrong credentials are not', async () => {
  await start([{ realm: 'trunk', user: 'alice', passwordEnv: 'API_TOKEN' }]);
  await place();
  challenge(await peer.request('INVITE'), 'trunk', 'n1');
  challenge(await peer.request('INVITE'), 'trunk', 'n2;stale=true');
  const third = await peer.request('INVITE');
  expect(proves(third, { realm: 'trunk', nonce: 'n2', user: 'alice' })).toBe(true);
  challenge(third, 'trunk', 'n3');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'rejected', reason: 'callee-refused' });
  expect(peer.inbox.filter((one) => one.kind === 'request' && one.method === 'INVITE')).toEqual([]);
});

test('a caller’s leg answers the challenge to its BYE as well', async () => {
  await start([{ user: 'alice', passwordEnv: 'API_TOKEN' }]);
  const port = Number(site.udp.split(':')[1]);
  peer.send(peer.compose('INVITE', `sip:pizza@${site.udp}`, { body: sdp('peer') }), port);
  const ok = await peer.response(200);
  const toTag = /;tag=([^;]+)/.exec(header(ok, 'to') ?? '')?.[1] ?? '';
  peer.send(peer.compose('ACK', `sip:${site.udp}`, { toTag, branch: 'ack' }), port);
  const drained = site.app.drain(0);
  challenge(await peer.request('BYE'), 'trunk', 'n1');
  const bye = await peer.request('BYE');
  expect(proves(bye, { realm: 'trunk', nonce: 'n1', user: 'alice' })).toBe(true);
  peer.answer(bye, 200);
  await drained;
  await expectIdle(site);
});

test('sipp checks the digest of a call that is placed', async () => {
  await start([{ user: 'bob', passwordEnv: 'API_TOKEN' }]);
  const scenario = resolve(import.meta.dirname, '../drachtio/scenarios/callee-digest.xml');
  const { port } = peer;
  peer.close();
  const callee = sipp({ scenario, flags: `-p ${port}` });
  await untilBound(port);
  const url = await place();
  // It refuses wrong credentials, and is content with that.
  await expect.poll(() => stateOf(url), { timeout: 5000, interval: 20 }).toBe('talking');
  await fetch(url, { method: 'DELETE', headers: authorization });
  expect(await callee).toEqual({ passed: true, errors: '' });
  peer = await Peer.open();
  await expectIdle(site);
});

test('a refresh of the session that is challenged goes out again, and the call goes on', async () => {
  await start([{ user: 'alice', passwordEnv: 'API_TOKEN' }]);
  const port = Number(site.udp.split(':')[1]);
  // A call without sound would be ended before.
  const phone = await TonePhone.open(31_560);
  const body = sdp('peer', 31_560).replace('AVP 8', 'AVP 0').replace('8 PCMA', '0 PCMU');
  const extra = [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: '90;refresher=uas' },
  ];
  peer.send(peer.compose('INVITE', `sip:pizza@${site.udp}`, { body, extra }), port);
  const ok = await peer.response(200);
  const toTag = /;tag=([^;]+)/.exec(header(ok, 'to') ?? '')?.[1] ?? '';
  peer.send(peer.compose('ACK', `sip:${site.udp}`, { toTag, branch: 'ack' }), port);
  await sleep(44_000);
  challenge(await peer.request('INVITE'), 'trunk', 'n1');
  const refresh = await peer.request('INVITE');
  expect(proves(refresh, { realm: 'trunk', nonce: 'n1', user: 'alice' })).toBe(true);
  peer.answer(refresh, 200, { body });
  const ack = await peer.request('ACK');
  expect(header(ack, 'proxy-authorization')).toBe(header(refresh, 'proxy-authorization'));
  expect(site.app.activeCalls()).toBe(1);
  peer.send(peer.compose('BYE', `sip:${site.udp}`, { toTag, sequence: 2 }), port);
  await peer.response(200);
  phone.close();
  await expectIdle(site);
}, 70_000);

test('a realm that there are no credentials for is a refusal', async () => {
  await start([{ realm: 'other', user: 'alice', passwordEnv: 'API_TOKEN' }]);
  await place();
  challenge(await peer.request('INVITE'), 'trunk', 'n1');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'rejected', reason: 'callee-refused' });
});
