import { afterEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import type { SimulatorOptions } from '../support/openai-simulator.ts';
import { expectIdle, type Site, startSite } from './site.ts';

/** Offers that are refused and requests in the wrong place, through the whole connector. */

let site: Site;
let peer: Peer;

afterEach(async () => {
  peer.close();
  await site.close();
});

async function start(simulator: SimulatorOptions = {}): Promise<void> {
  [site, peer] = [await startSite({ simulator }), await Peer.open()];
}

const port = () => Number(site.udp.split(':')[1]);
const uri = () => `sip:pizza@${site.udp}`;
const g729 = sdp('peer').replace('AVP 8', 'AVP 18').replace('rtpmap:8 PCMA', 'rtpmap:18 G729');

type Options = NonNullable<Parameters<Peer['compose']>[2]>;

function send(method: string, options: Options = {}): void {
  peer.send(peer.compose(method, uri(), options), port());
}

/** A call that is up; gives the connector's tag. */
async function talking(body = sdp('peer')): Promise<string> {
  send('INVITE', { body });
  const toTag = toTagOf(await peer.response(200));
  send('ACK', { toTag, branch: 'ack', body: body === '' ? sdp('peer') : '' });
  return toTag;
}

async function hangUp(toTag: string, sequence: number): Promise<void> {
  send('BYE', { toTag, sequence });
  await peer.response(200);
  await expectIdle(site);
}

test('an UPDATE with an offer that cannot be taken: 488, the call goes on as it was', async () => {
  await start();
  const toTag = await talking();
  send('UPDATE', { toTag, sequence: 2, body: g729 });
  expect(header(await peer.response(488), 'warning')).toMatch(/^305 /);
  send('UPDATE', { toTag, sequence: 3, body: sdp('peer') });
  expect((await peer.response(200)).body.toString()).toContain('m=audio');
  await hangUp(toTag, 4);
});

test('an offer in PRACK: 488, the call is answered as its INVITE asked', async () => {
  await start({ openDelay: 600 });
  send('INVITE', { body: sdp('peer'), extra: [{ name: 'Require', value: '100rel' }] });
  const ringing = await peer.response(180);
  const toTag = toTagOf(ringing);
  const confirms = { name: 'RAck', value: `${header(ringing, 'rseq')} 1 INVITE` };
  send('PRACK', { toTag, sequence: 2, body: sdp('peer'), extra: [confirms] });
  expect(header(await peer.response(488), 'cseq')).toBe('2 PRACK');
  const ok = await peer.response(200);
  expect(header(ok, 'cseq')).toBe('1 INVITE');
  expect(ok.body.toString()).toContain('m=audio');
  send('ACK', { toTag, branch: 'ack' });
  await hangUp(toTag, 3);
});

test('an offer in UPDATE while the call rings: 500 with Retry-After', async () => {
  await start({ openDelay: 600 });
  send('INVITE', { body: sdp('peer') });
  const toTag = toTagOf(await peer.response(180));
  send('UPDATE', { toTag, sequence: 2, body: sdp('peer') });
  expect(header(await peer.response(500), 'retry-after')).toMatch(/^\d+$/);
  await peer.response(200);
  send('ACK', { toTag, branch: 'ack' });
  await hangUp(toTag, 3);
});

test.each([
  ['INFO', 481, undefined],
  ['NOTIFY', 481, undefined],
  ['UPDATE', 481, undefined],
  ['SUBSCRIBE', 489, 'refer'],
] as const)('%s outside of dialogs: %d', async (method, status, events) => {
  await start();
  send(method, { extra: [{ name: 'Event', value: 'presence' }] });
  expect(header(await peer.response(status), 'allow-events')).toBe(events);
  await expectIdle(site);
});

const multipart = [{ name: 'Content-Type', value: 'multipart/mixed;boundary=edge' }];

function sendParts(...parts: readonly (readonly [type: string, text: string])[]): void {
  const pieces = parts.map(([type, text]) => `--edge\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`);
  const body = Buffer.from(`${pieces.join('')}--edge--\r\n`);
  peer.send({ ...peer.compose('INVITE', uri(), { extra: multipart }), body }, port());
}

test('SDP among other parts is the offer', async () => {
  await start();
  sendParts(['text/plain', 'hello'], ['application/sdp', sdp('peer')]);
  const ok = await peer.response(200);
  const toTag = toTagOf(ok);
  expect(ok.body.toString()).toContain('m=audio');
  send('ACK', { toTag, branch: 'ack' });
  await hangUp(toTag, 2);
});

test('parts without SDP among them: 415', async () => {
  await start();
  sendParts(['text/plain', 'hello'], ['text/html', '<p>']);
  expect(header(await peer.response(415), 'accept')).toContain('application/sdp');
  await expectIdle(site);
});

test('a BYE that overtakes the answer to a re-INVITE: 487 for that, and the call is over', async () => {
  await start();
  const toTag = await talking();
  send('INVITE', { toTag, sequence: 2, body: sdp('peer') });
  send('BYE', { toTag, sequence: 3 });
  expect(header(await peer.response(487), 'cseq')).toBe('2 INVITE');
  expect(header(await peer.response(200), 'cseq')).toBe('3 BYE');
  await expectIdle(site);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

/** Calls the peer through the API. */
async function place(): Promise<string> {
  const response = await fetch(`${site.app.httpUrl}/v1/calls`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    body: JSON.stringify({ to: `sip:bob@${peer.address}` }),
  });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  return `${site.app.httpUrl}/v1/calls/${id}`;
}

async function startOutbound(): Promise<void> {
  site = await startSite({
    http: { tokenEnv: 'API_TOKEN' },
    sip: { destinations: ['sip:bob@127.0.0.1:*'] },
  });
  peer = await Peer.open();
}

test('a redirect ends the call that was placed; its target is not called', async () => {
  await startOutbound();
  const other = await Peer.open();
  const extra = [{ name: 'Contact', value: `<sip:bob@${other.address}>` }];
  await place();
  peer.answer(await peer.request('INVITE'), 302, { extra });
  await peer.request('ACK');
  await expectIdle(site);
  expect(other.inbox).toEqual([]);
  other.close();
  expect(site.ending()).toEqual({ result: 'rejected', reason: 'callee-refused' });
});

test('a 200 that crosses our CANCEL is acknowledged and hung up', async () => {
  await startOutbound();
  const url = await place();
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const deleted = fetch(url, { method: 'DELETE', headers: { authorization: 'Bearer secret' } });
  const cancel = await peer.request('CANCEL');
  peer.answer(invite, 200, { body: sdp('bob') });
  peer.answer(cancel, 200);
  await peer.request('ACK');
  peer.answer(await peer.request('BYE'), 200);
  await deleted;
  await expectIdle(site);
});

test('422 is tried once more with the interval that it names', async () => {
  await startOutbound();
  const url = await place();
  const invite = await peer.request('INVITE');
  peer.answer(invite, 422, { extra: [{ name: 'Min-SE', value: '3600' }] });
  const again = await peer.request('INVITE');
  expect(header(again, 'session-expires')).toMatch(/^3600/);
  peer.answer(again, 200, { body: sdp('bob') });
  await peer.request('ACK');
  const deleted = fetch(url, { method: 'DELETE', headers: { authorization: 'Bearer secret' } });
  peer.answer(await peer.request('BYE'), 200);
  await deleted;
  await expectIdle(site);
});
