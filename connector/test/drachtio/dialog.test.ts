import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { Dialog, Reply, Request } from './client.ts';
import { fastClock } from './fast-clock.ts';
import { Peer, toTagOf } from './peer.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

let near: Site;
let far: Site;

beforeEach(async () => {
  [near, far] = [await startSite(), await startSite()];
});

afterEach(async () => {
  await Promise.all([near.close(), far.close()]);
});

/** A call from near to far. */
async function call(): Promise<{ uac: Dialog; uas: Dialog }> {
  const coming = nextRequest(far, 'invite');
  const calling = near.srf.createUAC(`sip:far@${far.address}`, { localSdp: sdp('near') });
  const [request, response] = await coming;
  const uas = await far.srf.createUAS(request, response, { localSdp: sdp('far') });
  const acked = new Promise((resolve) => uas.once('ack', resolve));
  const uac = await calling;
  await acked;
  return { uac, uas };
}

function next(dialog: Dialog, event: string): Promise<[Request, Reply & string]> {
  return new Promise((resolve) =>
    dialog.once(event, (request, response) => resolve([request, response])),
  );
}

const sides = [
  ['the caller', (each: { uac: Dialog; uas: Dialog }) => [each.uac, each.uas] as const],
  ['the callee', (each: { uac: Dialog; uas: Dialog }) => [each.uas, each.uac] as const],
] as const;

test.each(sides)('%s hangs up, the other is told', async (_, choose) => {
  const [from, to] = choose(await call());
  const destroyed = next(to, 'destroy');
  await from.destroy({ headers: { 'X-Why': 'done' } });
  const [bye, reason] = await destroyed;
  expect(bye.get('X-Why')).toBe('done');
  expect(reason).toBe('normal release');
  expect(to.connected).toBe(false);
});

test.each(sides)('%s changes the media', async (_, choose) => {
  const [from, to] = choose(await call());
  const modified = next(to, 'modify');
  const changing = from.modify(sdp('new', 41_000));
  const [request, response] = await modified;
  expect(request.body).toBe(sdp('new', 41_000));
  expect(request.isNewInvite).toBe(false);
  const acked = next(to, 'ack');
  response.send(200, { body: sdp('answer', 42_000) });
  expect(await changing).toBe(sdp('answer', 42_000));
  await acked;
});

test.each(sides)('%s holds and comes back', async (_, choose) => {
  const [from, to] = choose(await call());
  const modified = next(to, 'modify');
  const holding = from.modify('hold');
  const [request, response] = await modified;
  expect(request.body).toContain('a=inactive');
  response.send(200, { body: sdp('held') });
  await holding;
  expect(from.onHold).toBe(true);
  const again = next(to, 'modify');
  const back = from.modify('unhold');
  const [unhold, answer] = await again;
  expect(unhold.body).toContain('a=sendrecv');
  answer.send(200, { body: sdp('back') });
  await back;
});

test('hold and unhold of the other side are told apart', async () => {
  const { uac, uas } = await call();
  const held = next(uas, 'hold');
  const unheld = new Promise((resolve) => uas.once('unhold', resolve));
  await uac.modify(sdp('near').replace('a=sendrecv', 'a=sendonly'));
  await held;
  expect(uas.onHold).toBe(true);
  await uac.modify(sdp('near'));
  await unheld;
  expect(uas.onHold).toBe(false);
});

test('the same session again is a refresh', async () => {
  const { uac, uas } = await call();
  const refreshed = next(uas, 'refresh');
  expect(await uac.modify(sdp('near'))).toBe(sdp('far'));
  expect((await refreshed)[0].method).toBe('INVITE');
});

test('a refused change leaves the call as it was', async () => {
  const { uac, uas } = await call();
  uas.on('modify', (_, response) => response.send(488));
  await expect(uac.modify(sdp('x'))).rejects.toMatchObject({ status: 488 });
  const info = next(uas, 'info');
  const asking = uac.request({ method: 'INFO' });
  (await info)[1].send(200);
  expect((await asking).status).toBe(200);
});

test('both change at once: at least one is told 491, the call lives on', async () => {
  const { uac, uas } = await call();
  for (const each of [uac, uas]) {
    each.on('modify', (_, response) => response.send(200, { body: sdp('ok') }));
  }
  const results = await Promise.allSettled([
    uac.modify(sdp('a', 41_000)),
    uas.modify(sdp('b', 42_000)),
  ]);
  const refused = results
    .filter((each) => each.status === 'rejected')
    .map((each): unknown => each.reason);
  expect(refused.length).toBeGreaterThan(0);
  for (const error of refused) expect(error).toMatchObject({ status: 491 });
  const info = next(uas, 'info');
  const asking = uac.request({ method: 'INFO' });
  (await info)[1].send(200);
  expect((await asking).status).toBe(200);
});

test.each([
  ['INFO', 'application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'],
  ['MESSAGE', 'text/plain', 'grüße'],
  ['UPDATE', 'application/sdp', sdp('update')],
  ['OPTIONS', 'text/plain', ''],
])('%s goes through a dialog both ways', async (method, type, body) => {
  const { uac, uas } = await call();
  for (const [from, to] of [
    [uac, uas],
    [uas, uac],
  ] as const) {
    const seen = next(to, method.toLowerCase());
    const headers = body === '' ? {} : { 'Content-Type': type };
    const asking = from.request({ method, headers, body });
    const [request, response] = await seen;
    expect(request.body).toBe(body);
    response.send(200, { headers: { 'X-Seen': 'yes' } });
    expect((await asking).get('X-Seen')).toBe('yes');
  }
});

test('SUBSCRIBE in a call, and the NOTIFYs of it, both ways; the last leaves the call', async () => {
  const { uac, uas } = await call();
  for (const [from, to] of [
    [uac, uas],
    [uas, uac],
  ] as const) {
    const subscribed = next(to, 'subscribe');
    const asking = from.request({
      method: 'SUBSCRIBE',
      headers: { Event: 'dialog', Expires: '60' },
    });
    const [subscribe, response] = await subscribed;
    expect(subscribe.get('Event')).toBe('dialog');
    response.send(200, { headers: { Expires: '60' } });
    expect((await asking).status).toBe(200);
    for (const state of ['active;expires=60', 'terminated;reason=timeout']) {
      const notified = next(from, 'notify');
      const headers = { Event: 'dialog', 'Subscription-State': state };
      const telling = to.request({ method: 'NOTIFY', headers });
      const [notify, answer] = await notified;
      expect(notify.get('Subscription-State')).toBe(state);
      answer.send(200);
      expect((await telling).status).toBe(200);
    }
  }
  const ended = next(uas, 'destroy');
  await uac.destroy();
  await ended;
});

test('REFER and the NOTIFY that follow', async () => {
  const { uac, uas } = await call();
  const referred = next(uac, 'refer');
  const asking = uas.request({
    method: 'REFER',
    headers: { 'Refer-To': '<sip:third@192.0.2.1>', 'Referred-By': '<sip:far@localhost>' },
  });
  const [refer, response] = await referred;
  expect(refer.get('Refer-To')).toBe('<sip:third@192.0.2.1>');
  expect(refer.has('Contact')).toBe(true);
  response.send(202);
  expect((await asking).status).toBe(202);
  const notified = next(uas, 'notify');
  const telling = uac.request({
    method: 'NOTIFY',
    headers: {
      Event: 'refer',
      'Subscription-State': 'terminated;reason=noresource',
      'Content-Type': 'message/sipfrag;version=2.0',
    },
    body: 'SIP/2.0 200 OK\r\n',
  });
  const [notify, answer] = await notified;
  expect(notify.body).toBe('SIP/2.0 200 OK\r\n');
  answer.send(200);
  expect((await telling).status).toBe(200);
  // The NOTIFY ended a subscription, not the call.
  const info = next(uas, 'info');
  const still = uac.request({ method: 'INFO' });
  (await info)[1].send(200);
  expect((await still).status).toBe(200);
});

test('the subscription of a REFER ends with its last NOTIFY, and another REFER makes a new one', async () => {
  const { uac, uas } = await call();
  for (const target of ['third', 'fourth']) {
    const referred = next(uac, 'refer');
    const headers = { 'Refer-To': `<sip:${target}@192.0.2.1>` };
    const asking = uas.request({ method: 'REFER', headers });
    (await referred)[1].send(202);
    expect((await asking).status).toBe(202);
    for (const [state, text] of [
      ['active;expires=60', 'SIP/2.0 100 Trying\r\n'],
      ['terminated;reason=noresource', 'SIP/2.0 486 Busy Here\r\n'],
    ] as const) {
      const notified = next(uas, 'notify');
      const telling = uac.request({
        method: 'NOTIFY',
        headers: {
          Event: 'refer',
          'Subscription-State': state,
          'Content-Type': 'message/sipfrag;version=2.0',
        },
        body: text,
      });
      const [notify, answer] = await notified;
      expect([notify.get('Subscription-State'), notify.body]).toEqual([state, text]);
      answer.send(200);
      expect((await telling).status).toBe(200);
    }
  }
  const ended = next(uac, 'destroy');
  await uas.destroy();
  await ended;
});

test('a re-INVITE without offer is answered in the ACK', async () => {
  const { uac, uas } = await call();
  const modified = next(uas, 'modify');
  const changing = uac.modify({ noAck: true });
  const [request, response] = await modified;
  expect(request.body).toBe('');
  response.send(200, { body: sdp('offer', 43_000) });
  const offered = (await changing) as unknown as { sdp: string; ack(answer: string): void };
  expect(offered.sdp).toBe(sdp('offer', 43_000));
  const acked = next(uas, 'ack');
  offered.ack(sdp('answer', 44_000));
  expect((await acked)[0].body).toBe(sdp('answer', 44_000));
});

test('requests after the end are refused with the code clients know', async () => {
  const { uac } = await call();
  await uac.destroy();
  await expect(uac.request({ method: 'INFO' })).rejects.toMatchObject({ code: 'ENODIALOG' });
});

test('a BYE is challenged and sent again with credentials', async () => {
  const peer = await Peer.open();
  const calling = near.srf.createUAC(`sip:peer@${peer.address}`, {
    localSdp: sdp('near'),
    auth: { username: 'bob', password: 'pw' },
  });
  peer.answer(await peer.request('INVITE'), 200, { body: sdp('peer') });
  const dialog = await calling;
  const ended = dialog.destroy();
  const bye = await peer.request('BYE');
  const value = 'Digest realm="r", nonce="n"';
  peer.answer(bye, 401, { extra: [{ name: 'WWW-Authenticate', value }] });
  const again = await peer.request('BYE');
  expect(header(again, 'authorization')).toMatch(/^Digest username="bob"/);
  peer.answer(again, 200);
  await ended;
  peer.close();
});

test('session timer: what the caller asks for is answered, too small is refused in the dialog', async () => {
  const peer = await Peer.open();
  const coming = nextRequest(near, 'invite');
  const extra = [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: '1800;refresher=uac' },
  ];
  const port = Number(near.address.split(':')[1]);
  peer.send(peer.compose('INVITE', `sip:near@${near.address}`, { body: sdp('peer'), extra }), port);
  const [request, response] = await coming;
  await near.srf.createUAS(request, response, { localSdp: sdp('near') });
  const ok = await peer.response(200);
  expect(header(ok, 'session-expires')).toBe('1800;refresher=uac');
  const toTag = toTagOf(ok);
  peer.send(peer.compose('ACK', `sip:${near.address}`, { toTag, branch: 'ack' }), port);
  const small = [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: '60;refresher=uac' },
  ];
  peer.send(
    peer.compose('UPDATE', `sip:${near.address}`, { toTag, sequence: 2, extra: small }),
    port,
  );
  const refused = await peer.response(422);
  expect(header(refused, 'min-se')).toBe('90');
  peer.close();
});

test('session timer: the refresher falls silent, the server hangs up and says why', async () => {
  await near.close();
  near = await startSite({ clock: fastClock(1000) });
  const peer = await Peer.open();
  const coming = nextRequest(near, 'invite');
  const extra = [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: '120;refresher=uac' },
  ];
  const port = Number(near.address.split(':')[1]);
  const invite = peer.compose('INVITE', `sip:near@${near.address}`, { body: sdp('peer'), extra });
  peer.send(invite, port);
  const [request, response] = await coming;
  const creating = near.srf.createUAS(request, response, { localSdp: sdp('near') });
  const ok = await peer.response(200);
  peer.send(
    peer.compose('ACK', `sip:${near.address}`, { toTag: toTagOf(ok), branch: 'ack' }),
    port,
  );
  const dialog = await creating;
  const destroyed = next(dialog, 'destroy');
  const bye = await peer.request('BYE');
  peer.answer(bye, 200);
  const [told, reason] = await destroyed;
  expect(told.source).toBe('application');
  expect(reason.toLowerCase()).toContain('session');
  peer.close();
});
