import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type SipServer, startSipServer } from '../../src/drachtio/start.ts';
import { header } from '../../src/sip/message/headers.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { Application } from './application.ts';
import { secret } from './server.ts';

/** Shortened so that the end of the hold is seen. */
const hold = 700;

let server: SipServer;
let peer: Peer;
let application: Application;

async function begin(keep: number): Promise<void> {
  server = await startSipServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    drachtio: { address: '127.0.0.1', port: 0, secret },
    patience: { hold, keep },
    clock: systemClock,
    log: silentLog,
  });
  peer = await Peer.open();
  application = await Application.start(server.drachtioPort);
}

afterEach(async () => {
  await application.kill();
  peer.close();
  await server.close();
});

function sipPort(): number {
  return server.listenPoints[0]?.port ?? 0;
}

async function callIn(callId: string) {
  const uri = `sip:app@127.0.0.1:${sipPort()}`;
  peer.send(peer.compose('INVITE', uri, { callId, body: sdp('peer') }), sipPort());
  const toTag = toTagOf(await peer.response(200));
  const send = (method: string, sequence: number) =>
    peer.send(peer.compose(method, uri, { callId, sequence, toTag }), sipPort());
  send('ACK', 1);
  await application.isTold('INVITE');
  return send;
}

test('without its application a call may end and all else is refused, until the call is ended', async () => {
  await begin(4_000);
  const [first, second] = [await callIn('a'), await callIn('b')];
  await sleep(100);
  await application.kill();
  peer.inbox.length = 0;
  first('INFO', 2);
  const held = await peer.response(503);
  expect([header(held, 'cseq'), header(held, 'retry-after')]).toEqual(['2 INFO', '5']);
  first('INVITE', 3);
  expect(header(await peer.response(503), 'retry-after')).toBe('5');
  first('BYE', 4);
  expect(header(await peer.response(200), 'cseq')).toBe('4 BYE');
  const bye = await peer.request('BYE');
  expect([header(bye, 'call-id'), header(bye, 'reason')]).toEqual([
    'b',
    'SIP;cause=200;text="Application lost"',
  ]);
  peer.answer(bye, 200);
  peer.inbox.length = 0;
  second('INFO', 2);
  expect(header(await peer.response(481), 'cseq')).toBe('2 INFO');
  await expect.poll(() => server.load().dialogs).toBe(0);
}, 60_000);

test('an application that comes back late is told of the calls that ended without it', async () => {
  await begin(60_000);
  const [first, second] = [await callIn('a'), await callIn('b')];
  await application.kill();
  first('BYE', 2);
  expect(header(await peer.response(200), 'cseq')).toBe('2 BYE');
  application = await Application.start(server.drachtioPort);
  expect(await application.isTold('BYE')).toMatchObject({
    dialog: 'a;from-tag=peer',
    transaction: 'unsolicited',
  });
  second('INFO', 2);
  expect(await application.isTold('INFO')).toMatchObject({ dialog: 'b;from-tag=peer' });
}, 60_000);

test('a call that the lost application was making is given up, and one it had not acknowledged', async () => {
  await begin(60_000);
  application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  await application.kill();
  const cancel = await peer.request('CANCEL');
  peer.answer(cancel, 200);
  peer.answer(invite, 487);
  await peer.request('ACK');
  await expect.poll(() => server.load().dialogs).toBe(0);
}, 60_000);

test('the 200 to an application that is gone is acknowledged and its call ended', async () => {
  await begin(60_000);
  application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
  const invite = await peer.request('INVITE');
  await application.kill();
  peer.answer(invite, 200, { body: sdp('peer') });
  await peer.request('ACK');
  const bye = await peer.request('BYE');
  peer.answer(bye, 200);
  await expect.poll(() => server.load().dialogs).toBe(0);
}, 60_000);
