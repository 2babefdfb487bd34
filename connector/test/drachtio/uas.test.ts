import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { Dialog, Reply, Request, Response } from './client.ts';
import { fastClock } from './fast-clock.ts';
import { Peer, toTagOf } from './peer.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

let site: Site;
let peer: Peer;

beforeEach(async () => {
  [site, peer] = [await startSite(), await Peer.open()];
});

afterEach(async () => {
  peer.close();
  await site.close();
});

const portOf = (each: Site) => Number(each.address.split(':')[1]);

function invite(options: Parameters<Peer['compose']>[2] = {}) {
  const request = peer.compose('INVITE', `sip:desk@${site.address}`, {
    body: sdp('peer'),
    ...options,
  });
  peer.send(request, portOf(site));
  return request;
}

/** The INVITE as the application sees it, and what it may answer with. */
async function arrival(): Promise<[Request, Reply]> {
  const coming = nextRequest(site, 'invite');
  invite();
  const [request, response] = await coming;
  return [request, response];
}

async function answered(options: object = {}): Promise<{ dialog: Dialog; tag: string }> {
  const [request, response] = await arrival();
  const dialog = await site.srf.createUAS(request, response, { localSdp: sdp('desk'), ...options });
  const ok = await peer.response(200);
  return { dialog, tag: toTagOf(ok) };
}

function ack(tag: string): void {
  peer.send(
    peer.compose('ACK', `sip:${site.address}`, { toTag: tag, branch: 'ack' }),
    portOf(site),
  );
}

test('an INVITE reaches the application whole', async () => {
  const [request, response] = await arrival();
  await peer.response(100);
  expect(request.method).toBe('INVITE');
  expect(request.uri).toBe(`sip:desk@${site.address}`);
  expect(request.body).toBe(sdp('peer'));
  expect(request.get('call-id')).toBe('peer-1');
  expect(request.source_address).toBe('127.0.0.1');
  expect(request.source_port).toBe(peer.port);
  expect(request.protocol).toBe('udp');
  expect(request.receivedOn).toBe(site.address);
  expect(request.isNewInvite).toBe(true);
  response.send(486);
  await peer.response(486);
});

test('an answered call: 200, ACK, BYE from the caller', async () => {
  const { dialog, tag } = await answered();
  expect(dialog.id).toBe('peer-1;from-tag=peer');
  expect(dialog.sip).toEqual({ callId: 'peer-1', localTag: tag, remoteTag: 'peer' });
  expect(dialog.remote.sdp).toBe(sdp('peer'));
  const acked = new Promise<Request>((resolve) => dialog.on('ack', resolve));
  ack(tag);
  expect((await acked).method).toBe('ACK');
  const destroyed = new Promise<[Request, string]>((resolve) =>
    dialog.on('destroy', (request, reason) => resolve([request, reason])),
  );
  const extra = [{ name: 'Reason', value: 'Q.850;cause=16;text="bye bye"' }];
  peer.send(
    peer.compose('BYE', `sip:${site.address}`, { toTag: tag, sequence: 2, extra }),
    portOf(site),
  );
  const [bye, reason] = await destroyed;
  expect(bye.get('Reason')).toBe('Q.850;cause=16;text="bye bye"');
  expect(reason).toBe('normal release');
  await peer.response(200);
});

test('the 200 has the body, the server contact and a tag', async () => {
  const [request, response] = await arrival();
  await site.srf.createUAS(request, response, {
    localSdp: sdp('desk'),
    headers: { 'X-Foo': 'bar', 'P-Asserted-Identity': '<sip:desk@localhost>' },
  });
  const ok = await peer.response(200);
  expect(ok.body.toString()).toBe(sdp('desk'));
  expect(header(ok, 'content-type')).toBe('application/sdp');
  expect(header(ok, 'contact')).toContain(site.address);
  expect(header(ok, 'x-foo')).toBe('bar');
  expect(toTagOf(ok)).not.toBe('');
});

test('the application hangs up: BYE to the contact of the caller, 200 resolves it', async () => {
  const { dialog, tag } = await answered();
  ack(tag);
  const ended = dialog.destroy({ headers: { Reason: 'Q.850;cause=16' } });
  const bye = await peer.request('BYE');
  expect(bye.uri).toBe(`sip:peer@${peer.address}`);
  expect(header(bye, 'reason')).toBe('Q.850;cause=16');
  expect(header(bye, 'to')).toContain(';tag=peer');
  peer.answer(bye, 200);
  await ended;
  await expect(dialog.request({ method: 'INFO' })).rejects.toMatchObject({ code: 'ENODIALOG' });
});

test.each([404, 486, 503, 603])(
  'a call refused with %d is, and its ACK is not shown',
  async (status) => {
    const [request, response] = await arrival();
    const failed = new Promise<Response>((resolve) =>
      response.send(status, { headers: { 'X-Why': 'because' } }, (_, sent) => resolve(sent)),
    );
    const refused = await peer.response(status);
    expect(header(refused, 'x-why')).toBe('because');
    expect((await failed).get('call-id')).toBe('peer-1');
    const seen: string[] = [];
    site.on['options'] = (each, reply) => {
      seen.push(each.method);
      reply.send(200);
    };
    ack(toTagOf(refused));
    peer.send(peer.compose('OPTIONS', `sip:${site.address}`, { callId: 'o' }), portOf(site));
    await peer.response(200);
    expect(seen).toEqual(['OPTIONS']);
    expect(request.method).toBe('INVITE');
  },
);

test('provisionals go out one by one with their bodies', async () => {
  const [, response] = await arrival();
  response.send(180);
  expect((await peer.response(180)).body.length).toBe(0);
  response.send(183, { body: sdp('early') });
  const progress = await peer.response(183);
  expect(progress.body.toString()).toBe(sdp('early'));
  expect(header(progress, 'content-type')).toBe('application/sdp');
  response.send(486);
  await peer.response(486);
});

test.each([true, false])('a CANCEL reaches the application, rung before: %s', async (rings) => {
  const [request, response] = await arrival();
  if (rings) {
    response.send(180);
    await peer.response(180);
  }
  const cancelled = new Promise<string | undefined>((resolve) =>
    request.on('cancel', (cancel) => resolve(cancel.get('Reason'))),
  );
  const extra = [{ name: 'Reason', value: 'SIP;cause=200;text="Call completed elsewhere"' }];
  const cancel = peer.compose('CANCEL', `sip:desk@${site.address}`, {
    branch: 'INVITE-1-peer-1',
    extra,
  });
  peer.send(cancel, portOf(site));
  expect(await cancelled).toBe('SIP;cause=200;text="Call completed elsewhere"');
  await peer.response(487);
  const refused = new Promise<unknown>((resolve) => response.send(200, {}, resolve));
  expect(await refused).toBe('Response not sent due to unknown transaction');
});

test('a CANCEL while createUAS waits for its SDP rejects it', async () => {
  const [request, response] = await arrival();
  const { promise: localSdp, resolve: finish } = Promise.withResolvers<string>();
  const call = site.srf.createUAS(request, response, { body: () => localSdp, localSdp });
  call.catch(() => undefined);
  peer.send(
    peer.compose('CANCEL', `sip:desk@${site.address}`, { branch: 'INVITE-1-peer-1' }),
    portOf(site),
  );
  await peer.response(487);
  finish(sdp('desk'));
  await expect(call).rejects.toBeTruthy();
});

test('a 200 without ACK is sent again, then the server hangs up and says why', async () => {
  await site.close();
  site = await startSite({ clock: fastClock(50) });
  const { dialog } = await answered();
  const destroyed = new Promise<[Request, string]>((resolve) =>
    dialog.on('destroy', (request, reason) => resolve([request, reason])),
  );
  await peer.response(200);
  const bye = await peer.request('BYE');
  expect(header(bye, 'reason')).toBe('SIP;cause=200;text="ACK timeout"');
  const [request, reason] = await destroyed;
  expect(request.source).toBe('application');
  expect(reason).toBe('ACK timeout');
  peer.answer(bye, 200);
});

test('a reliable provisional waits for its PRACK, which the application sees', async () => {
  const coming = nextRequest(site, 'invite');
  invite({ extra: [{ name: 'Supported', value: '100rel' }] });
  const [request, response] = await coming;
  const pracked = new Promise<Request>((resolve) => {
    response.send(183, { headers: { Require: '100rel' }, body: sdp('early') }, undefined, resolve);
  });
  const progress = await peer.response(183);
  const rseq = header(progress, 'rseq');
  expect(header(progress, 'require')).toBe('100rel');
  const prack = peer.compose('PRACK', `sip:${site.address}`, {
    sequence: 2,
    toTag: toTagOf(progress),
    extra: [{ name: 'RAck', value: `${rseq} 1 INVITE` }],
  });
  peer.send(prack, portOf(site));
  expect((await pracked).get('rack')).toBe(`${rseq} 1 INVITE`);
  expect(header(await peer.response(200), 'cseq')).toBe('2 PRACK');
  const dialog = await site.srf.createUAS(request, response, { localSdp: sdp('desk') });
  const ok = await peer.response(200);
  expect(toTagOf(ok)).toBe(toTagOf(progress));
  ack(toTagOf(ok));
  expect(dialog.id).toBe('peer-1;from-tag=peer');
});

test('a reliable provisional to a caller without 100rel is refused, the call stays', async () => {
  const [, response] = await arrival();
  const refused = new Promise<unknown>((resolve) =>
    response.send(183, { headers: { Require: '100rel' } }, resolve),
  );
  expect(await refused).toBe('Remote endpoint does not support 100rel');
  response.send(486);
  await peer.response(486);
});

test('an UPDATE before the answer is answered by the application', async () => {
  const [request, response] = await arrival();
  response.send(180);
  const ringing = await peer.response(180);
  request.on('update', (update, reply) => {
    expect(update.body).toBe(sdp('update'));
    reply.send(200, { body: sdp('desk') });
  });
  peer.send(
    peer.compose('UPDATE', `sip:${site.address}`, {
      sequence: 2,
      toTag: toTagOf(ringing),
      body: sdp('update'),
    }),
    portOf(site),
  );
  const ok = await peer.response(200);
  expect(header(ok, 'cseq')).toBe('2 UPDATE');
  expect(ok.body.toString()).toBe(sdp('desk'));
  response.send(486);
  expect(header(await peer.response(486), 'cseq')).toBe('1 INVITE');
});

test('a call over TCP', async () => {
  const far = await startSite();
  const coming = nextRequest(site, 'invite');
  const calling = far.srf.createUAC(`sip:desk@${site.tcpAddress};transport=tcp`, {
    localSdp: sdp('far'),
  });
  const [request, response] = await coming;
  expect(request.protocol).toBe('tcp');
  const dialog = await site.srf.createUAS(request, response, { localSdp: sdp('desk') });
  const farDialog = await calling;
  const destroyed = new Promise((resolve) => farDialog.on('destroy', resolve));
  await dialog.destroy();
  await destroyed;
  await far.close();
});
