import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import { finalOf } from './client.ts';
import { Peer } from './peer.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

let near: Site;
let far: Site;

beforeEach(async () => {
  [near, far] = [await startSite(), await startSite()];
});

afterEach(async () => {
  await Promise.all([near.close(), far.close()]);
});

test.each([
  ['OPTIONS', {}, ''],
  ['MESSAGE', { 'Content-Type': 'text/plain' }, 'grüße'],
  ['REGISTER', { Contact: '<sip:near@localhost>', Expires: '60' }, ''],
  ['PUBLISH', { Event: 'presence', 'Content-Type': 'application/pidf+xml' }, '<x/>'],
  ['INFO', { 'Content-Type': 'text/plain' }, 'x'],
  ['NOTIFY', { Event: 'keep-alive', 'Subscription-State': 'active' }, ''],
  ['REFER', { 'Refer-To': '<sip:a@b.c>' }, ''],
])('%s outside of a dialog, and its answer', async (method, headers, body) => {
  const coming = nextRequest(far, method.toLowerCase());
  const sent = await near.srf.request(`sip:far@${far.address}`, { method, headers, body });
  const final = finalOf(sent);
  const [request, response] = await coming;
  expect(request.method).toBe(method);
  expect(request.body).toBe(body);
  for (const name of Object.keys(headers).filter((each) => each !== 'Contact')) {
    expect(request.get(name)).toBe((headers as Record<string, string>)[name]);
  }
  expect(request.stackDialogId).toBe('');
  response.send(202, { headers: { 'X-Answer': 'yes' } });
  const answer = await final;
  expect(answer.status).toBe(202);
  expect(answer.get('X-Answer')).toBe('yes');
  expect(answer.stackDialogId).toBe('');
});

test('a digest challenge of the far end is answered', async () => {
  far.on['register'] = (request, response) => {
    if (request.has('Authorization')) response.send(200);
    else {
      response.send(401, {
        headers: { 'WWW-Authenticate': 'Digest realm="far", nonce="1", qop="auth"' },
      });
    }
  };
  const sent = await near.srf.request(`sip:${far.address}`, {
    method: 'REGISTER',
    headers: { Contact: '<sip:near@localhost>' },
    auth: { username: 'bob', password: 'pw' },
  });
  expect((await finalOf(sent)).status).toBe(200);
});

test.each([
  ['pw', 200],
  ['wrong', 401],
])(
  'our own challenge, SHA-256 and MD5, is answered with the password %s',
  async (password, status) => {
    const guarded = await startSite({
      auth: { realm: 'desk', passwordOf: (name) => (name === 'bob' ? 'pw' : undefined) },
    });
    guarded.on['message'] = (_, response) => response.send(200);
    const sent = await near.srf.request(`sip:desk@${guarded.address}`, {
      method: 'MESSAGE',
      headers: { 'Content-Type': 'text/plain' },
      body: 'x',
      auth: { username: 'bob', password },
    });
    expect((await finalOf(sent)).status).toBe(status);
    await guarded.close();
  },
);

test('an ACK, BYE, UPDATE, PRACK or unknown method out of nowhere', async () => {
  const peer = await Peer.open();
  const port = Number(near.address.split(':')[1]);
  const ask = (method: string) =>
    peer.send(
      peer.compose(method, `sip:${near.address}`, { toTag: 'nobody', callId: method }),
      port,
    );
  for (const method of ['BYE', 'UPDATE', 'PRACK']) {
    ask(method);
    expect(header(await peer.response(481), 'cseq')).toBe(`1 ${method}`);
  }
  ask('INVITE');
  expect(header(await peer.response(481), 'cseq')).toBe('1 INVITE');
  peer.send(peer.compose('DANCE', `sip:${near.address}`, { callId: 'dance' }), port);
  expect(header(await peer.response(405), 'allow')).toContain('INVITE');
  ask('ACK');
  peer.send(peer.compose('OPTIONS', `sip:${near.address}`, { callId: 'after' }), port);
  await peer.response(404);
  peer.close();
});

test('retransmissions of a request are not shown twice', async () => {
  const peer = await Peer.open();
  const port = Number(near.address.split(':')[1]);
  let count = 0;
  near.on['options'] = (_, response) => {
    count++;
    response.send(200);
  };
  const options = peer.compose('OPTIONS', `sip:${near.address}`);
  for (let index = 0; index < 3; index++) {
    peer.send(options, port);
    await peer.response(200);
  }
  expect(count).toBe(1);
  peer.close();
});

test('text of many bytes per character keeps its length', async () => {
  const body = '🎉'.repeat(200);
  const coming = nextRequest(far, 'message');
  const sent = await near.srf.request(`sip:far@${far.address}`, {
    method: 'MESSAGE',
    headers: { 'Content-Type': 'text/plain', Subject: '🎉 ü' },
    body,
  });
  const final = finalOf(sent);
  const [request, response] = await coming;
  expect(request.body).toBe(body);
  expect(request.get('Subject')).toBe('🎉 ü');
  response.send(200);
  expect((await final).status).toBe(200);
});

test('with no application an INVITE is answered 503', async () => {
  far.disconnect();
  const calling = () =>
    near.srf
      .createUAC(`sip:far@${far.address}`, { localSdp: sdp('near') })
      .catch((error: unknown) => error);
  await expect.poll(calling, { timeout: 10_000 }).toMatchObject({ status: 503 });
  const peer = await Peer.open();
  const invite = peer.compose('INVITE', `sip:far@${far.address}`, { body: sdp('peer') });
  peer.send(invite, Number(far.address.split(':')[1]));
  expect(header(await peer.response(503), 'retry-after')).toBe('5');
  expect(far.server.refusals()).toHaveProperty('no-application');
  peer.close();
});
