import { afterEach, beforeEach, expect, test } from 'vitest';
import { header, headers } from '../../src/sip/message/headers.ts';
import { finalOf, type Request, type Response } from './client.ts';
import { fastClock } from './fast-clock.ts';
import { Peer, toTagOf } from './peer.ts';
import { type Site, sdp, startSite } from './site.ts';

let site: Site;
let peer: Peer;

beforeEach(async () => {
  [site, peer] = [await startSite(), await Peer.open()];
});

afterEach(async () => {
  peer.close();
  await site.close();
});

function call(options: object = {}, callbacks = {}) {
  const calling = site.srf.createUAC(
    `sip:peer@${peer.address}`,
    { localSdp: sdp('desk'), ...options },
    callbacks,
  );
  // Rejections are looked at later.
  calling.catch(() => undefined);
  return calling;
}

test('an INVITE has what a peer needs', async () => {
  const calling = call({ callingNumber: '+15550100', headers: { 'X-Foo': 'bar' } });
  const invite = await peer.request('INVITE');
  expect(invite.uri).toBe(`sip:peer@${peer.address}`);
  expect(header(invite, 'from')).toMatch(
    new RegExp(`^<?sip:\\+15550100@${site.address}>?;tag=.+$`),
  );
  expect(header(invite, 'contact')).toContain(site.address);
  expect(header(invite, 'to')).toContain(`sip:peer@${peer.address}`);
  expect(header(invite, 'max-forwards')).toBe('70');
  expect(header(invite, 'x-foo')).toBe('bar');
  expect(header(invite, 'via')).toContain(';rport');
  expect(invite.body.toString()).toBe(sdp('desk'));
  peer.answer(invite, 486, { reason: 'Busy Here' });
  await expect(calling).rejects.toMatchObject({
    name: 'SipError',
    status: 486,
    reason: 'Busy Here',
  });
  await peer.request('ACK');
});

test('an answered call is acknowledged and can be hung up', async () => {
  const calling = call();
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  peer.answer(invite, 200, { body: sdp('peer') });
  const dialog = await calling;
  const ack = await peer.request('ACK');
  expect(ack.uri).toBe(`sip:peer@${peer.address}`);
  expect(header(ack, 'to')).toContain(';tag=peer');
  expect(dialog.sip.remoteTag).toBe('peer');
  expect(dialog.remote.sdp).toBe(sdp('peer'));
  expect(dialog.id).toBe(`${dialog.sip.callId};from-tag=${dialog.sip.localTag}`);
  const ended = dialog.destroy();
  const bye = await peer.request('BYE');
  peer.answer(bye, 200);
  expect((await ended).method).toBe('BYE');
});

test('the callee hangs up', async () => {
  const calling = call();
  const invite = await peer.request('INVITE');
  peer.answer(invite, 200, { body: sdp('peer') });
  const dialog = await calling;
  await peer.request('ACK');
  const destroyed = new Promise<Request>((resolve) => dialog.on('destroy', resolve));
  const bye = peer.compose('BYE', `sip:${site.address}`, {
    callId: dialog.sip.callId,
    fromTag: 'peer',
    toTag: dialog.sip.localTag,
  });
  peer.send(bye, Number(site.address.split(':')[1]));
  await peer.response(200);
  expect((await destroyed).method).toBe('BYE');
});

test('provisionals arrive in order, 100 never', async () => {
  const statuses: number[] = [];
  const bodies: string[] = [];
  const calling = call(
    {},
    {
      cbProvisional: (response: Response) => {
        statuses.push(response.status);
        bodies.push(response.body);
      },
    },
  );
  const invite = await peer.request('INVITE');
  peer.answer(invite, 100);
  peer.answer(invite, 180);
  peer.answer(invite, 183, { body: sdp('early') });
  peer.answer(invite, 200, { body: sdp('peer') });
  await calling;
  expect(statuses).toEqual([180, 183]);
  expect(bodies[1]).toBe(sdp('early'));
});

test('a call is cancelled by the request of the callback', async () => {
  let sent: Request | undefined;
  const calling = call(
    {},
    {
      cbRequest: (_: unknown, request: Request) => {
        sent = request;
      },
      cbProvisional: () => sent?.cancel({ headers: { Reason: 'SIP;cause=487' } }),
    },
  );
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  const cancel = await peer.request('CANCEL');
  expect(header(cancel, 'reason')).toBe('SIP;cause=487');
  expect(headers(cancel, 'via')).toEqual(headers(invite, 'via'));
  peer.answer(cancel, 200);
  peer.answer(invite, 487);
  await expect(calling).rejects.toMatchObject({ status: 487 });
});

test('a CANCEL waits for the first provisional', async () => {
  const calling = call(
    {},
    {
      cbRequest: (_: unknown, request: Request) => request.cancel(),
    },
  );
  const invite = await peer.request('INVITE');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(peer.inbox.filter((each) => each.kind === 'request' && each.method === 'CANCEL')).toEqual(
    [],
  );
  peer.answer(invite, 100);
  peer.answer(await peer.request('CANCEL'), 200);
  peer.answer(invite, 487);
  await expect(calling).rejects.toMatchObject({ status: 487 });
});

test('a 200 that crosses the CANCEL is acknowledged and hung up by the server', async () => {
  let sent: Request | undefined;
  const calling = call(
    {},
    {
      cbRequest: (_: unknown, request: Request) => {
        sent = request;
      },
      cbProvisional: () => sent?.cancel(),
    },
  );
  const invite = await peer.request('INVITE');
  peer.answer(invite, 180);
  const cancel = await peer.request('CANCEL');
  peer.answer(cancel, 200);
  peer.answer(invite, 200, { body: sdp('peer') });
  const dialog = await calling;
  const destroyed = new Promise<string>((resolve) =>
    dialog.on('destroy', (_, reason) => resolve(reason)),
  );
  await peer.request('ACK');
  const bye = await peer.request('BYE');
  expect(header(bye, 'reason')).toContain('ACK-BYE due to cancel race condition');
  peer.answer(bye, 200);
  expect(await destroyed).toBe('ACK-BYE due to cancel race condition');
});

test.each([
  [401, 'WWW-Authenticate', 'authorization'],
  [407, 'Proxy-Authenticate', 'proxy-authorization'],
] as const)(
  'a %d is answered with credentials, in the same call',
  async (status, challenge, name) => {
    const calling = call({ auth: { username: 'bob', password: 'pw' } });
    const first = await peer.request('INVITE');
    const value = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5';
    peer.answer(first, status, { tag: 'c', extra: [{ name: challenge, value }] });
    const second = await peer.request('INVITE');
    expect(header(second, name)).toMatch(/^Digest username="bob",realm="r",nonce="n"/);
    expect(header(second, 'call-id')).toBe(header(first, 'call-id'));
    expect(header(second, 'from')).toBe(header(first, 'from'));
    const sequence = Number.parseInt(header(first, 'cseq') ?? '', 10);
    expect(header(second, 'cseq')).toBe(`${sequence + 1} INVITE`);
    peer.answer(second, 200, { body: sdp('peer') });
    const dialog = await calling;
    await peer.request('ACK');
    const informed = new Promise<Request>((resolve) => dialog.on('info', resolve));
    const { callId, localTag: toTag } = dialog.sip;
    const info = peer.compose('INFO', `sip:${site.address}`, { callId, fromTag: 'peer', toTag });
    peer.send(info, Number(site.address.split(':')[1]));
    expect((await informed).method).toBe('INFO');
    const ended = dialog.destroy();
    const bye = await peer.request('BYE');
    expect(header(bye, 'cseq')).toBe(`${sequence + 2} BYE`);
    peer.answer(bye, 200);
    await ended;
  },
);

test('a challenge without credentials is a failure', async () => {
  const calling = call();
  const invite = await peer.request('INVITE');
  const value = 'Digest realm="r", nonce="n"';
  peer.answer(invite, 401, { extra: [{ name: 'WWW-Authenticate', value }] });
  await expect(calling).rejects.toMatchObject({ status: 401 });
});

test('silence is a 408', async () => {
  await site.close();
  site = await startSite({ clock: fastClock(100) });
  await expect(call()).rejects.toMatchObject({ status: 408 });
});

test('a refused TCP connection is a 503', async () => {
  const calling = site.srf.createUAC(`sip:peer@${peer.address};transport=tcp`, {
    localSdp: sdp('desk'),
  });
  await expect(calling).rejects.toMatchObject({ status: 503 });
});

test('a name that does not resolve is a 503', async () => {
  const calling = site.srf.createUAC('sip:peer@nowhere.invalid', { localSdp: sdp('desk') });
  await expect(calling).rejects.toMatchObject({ status: 503 });
});

test('delayed offer: the application answers in its ACK', async () => {
  const calling = site.srf.createUAC(`sip:peer@${peer.address}`, { noAck: true });
  const invite = await peer.request('INVITE');
  expect(invite.body.length).toBe(0);
  peer.answer(invite, 200, { body: sdp('peer') });
  const offered = (await calling) as unknown as {
    sdp: string;
    ack(answer: string): Promise<{ sip: { remoteTag: string } }>;
  };
  expect(offered.sdp).toBe(sdp('peer'));
  const dialog = await offered.ack(sdp('desk'));
  const ack = await peer.request('ACK');
  expect(ack.body.toString()).toBe(sdp('desk'));
  expect(header(ack, 'content-type')).toBe('application/sdp');
  expect(dialog.sip.remoteTag).toBe('peer');
});

test('a reliable provisional is acknowledged', async () => {
  const calling = call({ headers: { Supported: '100rel' } });
  const invite = await peer.request('INVITE');
  const extra = [
    { name: 'Require', value: '100rel' },
    { name: 'RSeq', value: '776' },
  ];
  peer.answer(invite, 183, { body: sdp('early'), extra });
  const prack = await peer.request('PRACK');
  const sequence = Number.parseInt(header(invite, 'cseq') ?? '', 10);
  expect(header(prack, 'rack')).toBe(`776 ${sequence} INVITE`);
  expect(prack.uri).toBe(`sip:peer@${peer.address}`);
  expect(header(prack, 'to')).toContain(';tag=peer');
  peer.answer(prack, 200);
  peer.answer(invite, 200, { body: sdp('peer') });
  await calling;
  await peer.request('ACK');
});

test('reliable provisionals are taken in order and once; repeated ones get no second PRACK', async () => {
  const seen: string[] = [];
  const cbProvisional = (response: Response) => void seen.push(response.get('rseq') ?? '');
  const calling = call({ headers: { Supported: '100rel' } }, { cbProvisional });
  const invite = await peer.request('INVITE');
  const ring = (sequence: number) =>
    peer.answer(invite, 183, {
      extra: [
        { name: 'Require', value: '100rel' },
        { name: 'RSeq', value: String(sequence) },
      ],
    });
  ring(7);
  const first = await peer.request('PRACK');
  expect(header(first, 'rack')).toMatch(/^7 /);
  // RFC 3262 §4: the first again, and one that comes before its predecessor.
  ring(7);
  ring(9);
  peer.answer(first, 200);
  ring(8);
  const second = await peer.request('PRACK');
  expect(header(second, 'rack')).toMatch(/^8 /);
  peer.answer(second, 200);
  ring(9);
  const third = await peer.request('PRACK');
  expect(header(third, 'rack')).toMatch(/^9 /);
  peer.answer(third, 200);
  peer.answer(invite, 200, { body: sdp('peer') });
  await calling;
  expect(seen).toEqual(['7', '8', '9']);
});

test('of two targets that both answer the first has the call', async () => {
  const other = await Peer.open();
  const calling = call();
  const invite = await peer.request('INVITE');
  const [first] = headers(invite, 'via');
  peer.answer(invite, 180, { tag: 'a' });
  other.answer(invite, 180, { tag: 'b' });
  peer.answer(invite, 200, { tag: 'a', body: sdp('a') });
  const dialog = await calling;
  const ack = await peer.request('ACK');
  expect(toTagOf(ack)).toBe('a');
  other.answer(invite, 200, { tag: 'b', body: sdp('b') });
  // The second is acknowledged and hung up by the server (RFC 3261 §13.2.2.4).
  const secondAck = await other.request('ACK');
  expect(toTagOf(secondAck)).toBe('b');
  const bye = await other.request('BYE');
  expect(toTagOf(bye)).toBe('b');
  other.answer(bye, 200);
  expect(dialog.sip.remoteTag).toBe('a');
  expect(first).toContain(site.address);
  other.close();
});

test('a redirect is followed when asked for', async () => {
  const other = await Peer.open();
  const calling = call({ followRedirects: true });
  const invite = await peer.request('INVITE');
  const extra = [{ name: 'Contact', value: `<sip:other@${other.address}>` }];
  const moved = { ...invite, headers: invite.headers };
  peer.send(
    {
      kind: 'response',
      status: 302,
      reason: 'Moved',
      headers: [
        ...moved.headers.filter(({ name }) => /^(via|from|call-id|cseq)$/i.test(name)),
        { name: 'To', value: `${header(invite, 'to')};tag=m` },
        ...extra,
      ],
      body: Buffer.alloc(0),
    },
    Number(site.address.split(':')[1]),
  );
  await peer.request('ACK');
  other.answer(await other.request('INVITE'), 603);
  await expect(calling).rejects.toMatchObject({ status: 603 });
  other.close();
});

test('an outbound proxy decides the next hop and is not in the message', async () => {
  const calling = site.srf.createUAC('sip:someone@example.invalid', {
    localSdp: sdp('desk'),
    proxy: `sip:${peer.address}`,
  });
  const invite = await peer.request('INVITE');
  expect(invite.uri).toBe('sip:someone@example.invalid');
  expect(header(invite, 'route')).toBeUndefined();
  peer.answer(invite, 486);
  await expect(calling).rejects.toMatchObject({ status: 486 });
});

test('a call to oneself is refused', async () => {
  await expect(
    site.srf.createUAC(`sip:me@${site.address}`, { localSdp: sdp('desk') }),
  ).rejects.toThrow('can not send request to myself');
});

test('SUBSCRIBE makes a dialog, in which NOTIFY arrives before and after the 202', async () => {
  const notified: string[] = [];
  site.on['notify'] = (request, response) => {
    notified.push(request.get('Subscription-State') ?? '');
    response.send(200);
  };
  const subscribing = site.srf.createUAC(`sip:peer@${peer.address}`, {
    method: 'SUBSCRIBE',
    headers: { Event: 'presence', Expires: '60' },
  });
  const subscribe = await peer.request('SUBSCRIBE');
  const fromTag = /;tag=([^;]+)/.exec(header(subscribe, 'from') ?? '')?.[1] ?? '';
  const notify = (sequence: number, state: string) =>
    peer.compose('NOTIFY', `sip:${site.address}`, {
      callId: header(subscribe, 'call-id') ?? '',
      fromTag: 'peer',
      toTag: fromTag,
      sequence,
      extra: [
        { name: 'Event', value: 'presence' },
        { name: 'Subscription-State', value: state },
      ],
    });
  const port = Number(site.address.split(':')[1]);
  peer.send(notify(1, 'pending'), port);
  await peer.response(200);
  peer.answer(subscribe, 202, { extra: [{ name: 'Expires', value: '60' }] });
  const dialog = await subscribing;
  const active = new Promise<Request>((resolve) => {
    dialog.on('notify', (request, response) => {
      response.send(200);
      resolve(request);
    });
  });
  peer.send(notify(2, 'active'), port);
  expect((await active).get('Subscription-State')).toBe('active');
  await peer.response(200);
  expect(notified).toEqual(['pending']);
});

test('the final response of a plain request comes to who sent it', async () => {
  const request = await site.srf.request(`sip:peer@${peer.address}`, {
    method: 'MESSAGE',
    headers: { 'Content-Type': 'text/plain' },
    body: 'grüße',
  });
  const message = await peer.request('MESSAGE');
  expect(message.body.toString()).toBe('grüße');
  expect(header(message, 'contact')).toBeUndefined();
  const final = finalOf(request);
  peer.answer(message, 202);
  expect((await final).status).toBe(202);
});
