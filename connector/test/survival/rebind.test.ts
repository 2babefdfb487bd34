import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { SipMessage, SipRequest } from '../../src/sip/message/message.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { WireClient } from '../drachtio/wire-client.ts';
import { sipp } from '../support/sipp.ts';
import { Application } from './application.ts';
import { JournalledServer, secret } from './server.ts';

let server: JournalledServer;
let peer: Peer;
let application: Application;

beforeEach(async () => {
  server = new JournalledServer();
  peer = await Peer.open();
  await server.start();
  application = await Application.start(server.drachtioPort);
});

afterEach(async () => {
  await application.kill();
  peer.close();
  await server.close();
});

/** A call that is up, as the peer sees it. */
interface Call {
  readonly dialog: string;
  send(method: string, sequence: number, body?: string): SipRequest;
}

function sender(names: { callId: string; fromTag: string; toTag: string }): Call['send'] {
  const uri = `sip:app@127.0.0.1:${server.sipPort}`;
  return (method, sequence, body = '') => {
    const request = peer.compose(method, uri, { ...names, sequence, body });
    peer.send(request, server.sipPort);
    return request;
  };
}

/** The peer calls the application. */
async function callIn(callId = 'in-1'): Promise<Call> {
  const uri = `sip:app@127.0.0.1:${server.sipPort}`;
  peer.send(peer.compose('INVITE', uri, { callId, body: sdp('peer') }), server.sipPort);
  const ok = await peer.response(200);
  const send = sender({ callId, fromTag: 'peer', toTag: toTagOf(ok) });
  send('ACK', 1);
  await application.isTold('INVITE');
  return { dialog: `${callId};from-tag=peer`, send };
}

/** The application calls the peer. */
async function callOut(): Promise<Call> {
  application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
  const invite = await peer.request('INVITE');
  peer.answer(invite, 200, { body: sdp('peer') });
  await application.isTold('200');
  await peer.request('ACK');
  const callId = header(invite, 'call-id') ?? '';
  const toTag = /;tag=([^;]+)/.exec(header(invite, 'from') ?? '')?.[1] ?? '';
  const send = sender({ callId, fromTag: 'peer', toTag });
  return { dialog: `${callId};from-tag=${toTag}`, send };
}

async function comeBack(): Promise<void> {
  application = await Application.start(server.drachtioPort);
}

function namesOf(messages: readonly SipMessage[]): string[] {
  return messages.map((each) =>
    each.kind === 'request' ? each.method : `${each.status} ${header(each, 'cseq')}`,
  );
}

test('a killed application gets what came in the gap when it is back, in both roles', async () => {
  const [inbound, outbound] = [await callIn(), await callOut()];
  await application.kill();
  peer.inbox.length = 0;
  inbound.send('INFO', 2);
  inbound.send('INVITE', 3, sdp('peer', 40_002));
  outbound.send('BYE', 2);
  await sleep(300);
  expect(namesOf(peer.inbox)).toEqual(['100 3 INVITE']);
  await comeBack();
  expect(await application.isTold('INFO')).toMatchObject({ dialog: inbound.dialog });
  expect(await application.isTold('INVITE')).toMatchObject({ dialog: inbound.dialog });
  expect(await application.isTold('BYE')).toMatchObject({ dialog: outbound.dialog });
  await expect.poll(() => namesOf(peer.inbox)).toContain('200 2 BYE');
  expect(namesOf(peer.inbox)).toContain('200 2 INFO');
  expect(namesOf(peer.inbox)).toContain('200 3 INVITE');
  inbound.send('ACK', 3);
  inbound.send('BYE', 4);
  expect(await application.isTold('BYE')).toMatchObject({ dialog: inbound.dialog });
  await peer.response(200);
}, 60_000);

test('requests after the return reach the application', async () => {
  const [inbound, outbound] = [await callIn(), await callOut()];
  await application.kill();
  await comeBack();
  for (const call of [inbound, outbound]) {
    call.send('INFO', 11);
    expect(await application.isTold('INFO')).toMatchObject({ dialog: call.dialog });
    call.send('INVITE', 12, sdp('peer', 40_002));
    expect(await application.isTold('INVITE')).toMatchObject({ dialog: call.dialog });
    call.send('ACK', 12);
    call.send('BYE', 13);
    expect(await application.isTold('BYE')).toMatchObject({ dialog: call.dialog });
  }
}, 60_000);

test('a request that was delivered and not answered comes again under its transaction', async () => {
  const call = await callIn();
  application.order({ kind: 'mute' });
  await sleep(100);
  call.send('INFO', 2);
  const first = await application.isTold('INFO');
  await application.kill();
  peer.inbox.length = 0;
  await comeBack();
  expect(await application.isTold('INFO')).toEqual(first);
  expect(header(await peer.response(200), 'cseq')).toBe('2 INFO');
}, 60_000);

test('a re-INVITE that was cancelled in the gap does not come', async () => {
  const call = await callIn();
  await application.kill();
  const invite = call.send('INVITE', 2, sdp('peer', 40_002));
  await peer.response(100);
  peer.send(
    peer.compose('CANCEL', invite.uri, {
      callId: 'in-1',
      sequence: 2,
      toTag: /;tag=([^;]+)/.exec(header(invite, 'to') ?? '')?.[1] ?? '',
      branch: 'INVITE-2-in-1',
    }),
    server.sipPort,
  );
  await peer.response(487);
  await comeBack();
  call.send('INFO', 3);
  await application.isTold('INFO');
  expect(application.told.map(({ what }) => what)).not.toContain('INVITE');
}, 60_000);

test('the requests of a call over TCP wait as well', async () => {
  const scenario = path.join(import.meta.dirname, 'scenarios/info-in-the-gap.xml');
  const run = sipp({ scenario, target: `127.0.0.1:${server.tcpPort}`, flags: '-t t1' });
  await application.isTold('INVITE');
  await sleep(300);
  await application.kill();
  await sleep(1_500);
  await comeBack();
  await application.isTold('INFO');
  await application.isTold('BYE');
  expect(await run).toEqual({ passed: true, errors: '' });
}, 60_000);

test('a killed server gives the dialogs back to the application that comes back', async () => {
  const [inbound, outbound] = [await callIn(), await callOut()];
  await application.isTold('connected');
  await server.kill();
  await server.start();
  // It may come before the application does.
  inbound.send('INFO', 2);
  expect(await application.isTold('INFO')).toMatchObject({ dialog: inbound.dialog });
  await application.isTold('connected');
  for (const call of [inbound, outbound]) {
    call.send('BYE', 3);
    expect(await application.isTold('BYE')).toMatchObject({ dialog: call.dialog });
  }
}, 60_000);

test('an INVITE that a killed server left is cancelled, and its late 200 gets ACK and BYE', async () => {
  application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  await sleep(100);
  await server.kill();
  await server.start();
  await peer.request('CANCEL');
  peer.answer(invite, 200, { body: sdp('peer') });
  const ack = await peer.request('ACK');
  expect(header(ack, 'cseq')?.split(' ')[0]).toBe(header(invite, 'cseq')?.split(' ')[0]);
  const bye = await peer.request('BYE');
  expect(header(bye, 'reason')).toContain('the application is gone');
  peer.answer(bye, 200);
}, 60_000);

test('who comes back is told 503 for the INVITE that a killed server left', async () => {
  application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
  peer.answer(await peer.request('INVITE'), 180);
  await sleep(100);
  await application.kill();
  await server.kill();
  await server.start();
  // The library forgets its requests with their connection; what is on the wire is for who remembers.
  const client = await WireClient.connect(server.drachtioPort);
  client.send(`auth|authenticate|${secret}|node@gw-1`);
  await client.next();
  expect(await client.next()).toContain('SIP/2.0 503 Service Unavailable');
  client.close();
}, 60_000);

test('of two applications with one name the newer has the calls; the older is closed', async () => {
  const call = await callIn();
  const newer = await WireClient.connect(server.drachtioPort);
  newer.send(`auth|authenticate|${secret}|node@gw-1`);
  expect(await newer.next()).toContain('|response|auth|OK|');
  // The library comes back, and then it is the newer one.
  await newer.closed();
  call.send('INFO', 2);
  expect(await application.isTold('INFO')).toMatchObject({ dialog: call.dialog });
  const ordinary = await WireClient.authenticated(server.drachtioPort, secret);
  call.send('INFO', 3);
  expect(await application.isTold('INFO')).toMatchObject({ dialog: call.dialog });
  expect(ordinary.isClosed).toBe(false);
  ordinary.close();
}, 60_000);
