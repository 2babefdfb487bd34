import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type SipServer, startSipServer } from '../../src/drachtio/start.ts';
import { header } from '../../src/sip/message/headers.ts';
import { connected, createSrf, type Srf } from './client.ts';
import { Peer, toTagOf } from './peer.ts';
import { sdp, secret } from './site.ts';

let server: SipServer;
let peer: Peer;
let srf: Srf;

beforeEach(async () => {
  server = await startSipServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    drachtio: { address: '127.0.0.1', port: 0, secret },
    admin: { address: '127.0.0.1', port: 0 },
    clock: systemClock,
    log: silentLog,
  });
  peer = await Peer.open();
  srf = createSrf(['node@gw-1']);
  srf.use('invite', (_request, response) => response.send(200, { body: sdp('app') }));
  await connected(srf, server.drachtioPort, secret);
});

afterEach(async () => {
  srf.disconnect();
  peer.close();
  await server.close();
});

function ask(path: string, method = 'GET', token = secret): Promise<Response> {
  const url = `http://127.0.0.1:${server.adminPort}${path}`;
  return fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
}

test('the dialogs of an application are listed, and one is ended', async () => {
  const port = server.listenPoints[0]?.port ?? 0;
  const uri = `sip:app@127.0.0.1:${port}`;
  peer.send(peer.compose('INVITE', uri, { callId: 'a@b', body: sdp('peer') }), port);
  const toTag = toTagOf(await peer.response(200));
  peer.send(peer.compose('ACK', uri, { callId: 'a@b', toTag }), port);
  const id = 'a@b;from-tag=peer';
  const listed: unknown = await (await ask('/dialogs?owner=node@gw-1')).json();
  expect(listed).toMatchObject([
    {
      id,
      role: 'uas',
      kind: 'invite',
      phase: 'confirmed',
      callId: 'a@b',
      localTag: toTag,
      remoteTag: 'peer',
      remoteTarget: `sip:peer@${peer.address}`,
      localSdp: sdp('app'),
      owner: 'node@gw-1',
    },
  ]);
  expect(await (await ask('/dialogs')).json()).toEqual(listed);
  expect(await (await ask('/dialogs?owner=node@gw-2')).json()).toEqual([]);
  const path = `/dialogs/${encodeURIComponent(id)}`;
  expect((await ask(path, 'DELETE')).status).toBe(204);
  const bye = await peer.request('BYE');
  expect(header(bye, 'reason')).toContain('Ended by administration');
  peer.answer(bye, 200);
  await expect.poll(() => server.load().dialogs).toBe(0);
  expect((await ask(path, 'DELETE')).status).toBe(404);
});

test.each([
  ['/dialogs', 'GET', 'wrong', 401],
  ['/dialogs', 'GET', '', 401],
  ['/dialogs', 'DELETE', secret, 405],
  ['/dialogs/a', 'GET', secret, 405],
  ['/dialogs/%zz', 'DELETE', secret, 404],
  ['/dialogs/a/b', 'DELETE', secret, 404],
  ['/', 'GET', secret, 404],
])('%s by %s with the token "%s" is %i', async (...row) => {
  const [path, method, token, status] = row;
  expect((await ask(path, method, token)).status).toBe(status);
});
