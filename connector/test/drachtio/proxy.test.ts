import { afterEach, beforeEach, expect, test } from 'vitest';
import { header, headers } from '../../src/sip/message/headers.ts';
import { Peer, toTagOf } from './peer.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

let site: Site;
let caller: Peer;
let a: Peer;
let b: Peer;

beforeEach(async () => {
  site = await startSite();
  [caller, a, b] = [await Peer.open(), await Peer.open(), await Peer.open()];
});

afterEach(async () => {
  for (const peer of [caller, a, b]) peer.close();
  await site.close();
});

const port = () => Number(site.address.split(':')[1]);

interface Outcome {
  readonly connected: boolean;
  readonly finalStatus: number;
  readonly statuses: readonly number[];
}

/** The caller calls and the application proxies it. The result comes when the search is over. */
function start(options: object = {}, targets: readonly Peer[] = [a, b]): Promise<Outcome> {
  const coming = nextRequest(site, 'invite');
  const invite = caller.compose('INVITE', `sip:desk@${site.address}`, { body: sdp('caller') });
  caller.send(invite, port());
  return coming.then(async ([request]) => {
    const uris = targets.map((peer) => `sip:t@${peer.address}`);
    const result = await site.srf.proxyRequest(request, uris, options);
    const messages = result.responses.flatMap(({ msgs }) => msgs);
    return {
      connected: result.connected,
      finalStatus: result.finalStatus,
      statuses: messages.map(({ status }) => status),
    };
  });
}

test('the request goes on with a Via of ours, one hop less, the rest as it was', async () => {
  const outcome = start({ headers: { 'X-Added': 'yes' } });
  const invite = await a.request('INVITE');
  expect(invite.uri).toBe(`sip:t@${a.address}`);
  expect(headers(invite, 'via')).toHaveLength(2);
  expect(headers(invite, 'via')[0]).toContain(site.address);
  expect(header(invite, 'max-forwards')).toBe('69');
  expect(header(invite, 'x-added')).toBe('yes');
  expect(header(invite, 'record-route')).toBeUndefined();
  expect(header(invite, 'call-id')).toBe('peer-1');
  expect(invite.body.toString()).toBe(sdp('caller'));
  a.answer(invite, 180);
  const ringing = await caller.response(180);
  expect(headers(ringing, 'via')).toHaveLength(1);
  a.answer(invite, 200, { body: sdp('a') });
  const ok = await caller.response(200);
  expect(header(ok, 'contact')).toBe(`<sip:peer@${a.address}>`);
  expect(await outcome).toMatchObject({ connected: true, finalStatus: 200 });
});

test('serial: the second target after the first failed, the best failure at the end', async () => {
  const outcome = start();
  a.answer(await a.request('INVITE'), 404);
  await a.request('ACK');
  b.answer(await b.request('INVITE'), 486);
  await caller.response(404);
  expect(await outcome).toMatchObject({
    connected: false,
    finalStatus: 486,
    statuses: [404, 486],
  });
});

test('serial: a silent target is passed over', async () => {
  const outcome = start({ provisionalTimeout: '200ms' });
  await a.request('INVITE');
  b.answer(await b.request('INVITE'), 200, { body: sdp('b') });
  await caller.response(200);
  expect(await outcome).toMatchObject({ connected: true });
});

test('simultaneous: all ring, who answers first has it, the other is cancelled', async () => {
  const outcome = start({ forking: 'simultaneous' });
  const [first, second] = await Promise.all([a.request('INVITE'), b.request('INVITE')]);
  a.answer(first, 180, { tag: 'a' });
  b.answer(second, 180, { tag: 'b' });
  await caller.response(180);
  b.answer(second, 200, { tag: 'b', body: sdp('b') });
  expect(toTagOf(await caller.response(200))).toBe('b');
  const cancel = await a.request('CANCEL');
  expect(headers(cancel, 'via')[0]).toBe(headers(first, 'via')[0]);
  a.answer(cancel, 200);
  a.answer(first, 487, { tag: 'a' });
  await a.request('ACK');
  expect(await outcome).toMatchObject({ connected: true, finalStatus: 200 });
});

test('the caller gives up: the branch is cancelled, its 487 goes up', async () => {
  const outcome = start();
  const invite = await a.request('INVITE');
  a.answer(invite, 180);
  await caller.response(180);
  caller.send(
    caller.compose('CANCEL', `sip:desk@${site.address}`, { branch: 'INVITE-1-peer-1' }),
    port(),
  );
  const cancel = await a.request('CANCEL');
  expect(header(await caller.response(200), 'cseq')).toBe('1 CANCEL');
  a.answer(cancel, 200);
  a.answer(invite, 487);
  await caller.response(487);
  expect(await outcome).toMatchObject({ connected: false, finalStatus: 487 });
});

test('record-routed: ACK, INFO and BYE of both sides come through, without the application', async () => {
  const seen: string[] = [];
  for (const verb of ['info', 'options']) {
    site.on[verb] = (request, response) => {
      seen.push(request.method);
      response.send(500);
    };
  }
  const outcome = start({ recordRoute: true });
  const invite = await a.request('INVITE');
  const route = header(invite, 'record-route') ?? '';
  expect(route).toMatch(new RegExp(`^<sip:${site.address};lr;mark=[\\w-]+>$`));
  a.answer(invite, 200, { tag: 'a', body: sdp('a') });
  const ok = await caller.response(200);
  expect(header(ok, 'record-route')).toBe(route);
  await outcome;
  const inDialog = (method: string, sequence: number) =>
    caller.compose(method, `sip:peer@${a.address}`, {
      toTag: 'a',
      sequence,
      branch: `${method}-${sequence}`,
      extra: [{ name: 'Route', value: route }],
    });
  caller.send(inDialog('ACK', 1), port());
  const ack = await a.request('ACK');
  expect(header(ack, 'route')).toBeUndefined();
  expect(headers(ack, 'via')).toHaveLength(2);
  caller.send(inDialog('INFO', 2), port());
  a.answer(await a.request('INFO'), 200);
  await caller.response(200);
  const bye = a.compose('BYE', `sip:peer@${caller.address}`, {
    fromTag: 'a',
    toTag: 'peer',
    extra: [{ name: 'Route', value: route }],
  });
  a.send(bye, port());
  caller.answer(await caller.request('BYE'), 200);
  await a.response(200);
  expect(seen).toEqual([]);
});

test('nobody can send through the server with a Route of his own', async () => {
  const extra = [{ name: 'Route', value: `<sip:${site.address};lr>` }];
  caller.send(caller.compose('INFO', `sip:peer@${a.address}`, { toTag: 'x', extra }), port());
  await caller.response(481);
  expect(a.inbox).toEqual([]);
});

test('no hops left is a 483', async () => {
  const coming = nextRequest(site, 'invite');
  const invite = caller.compose('INVITE', `sip:desk@${site.address}`);
  const last = invite.headers.map((each) =>
    each.name === 'Max-Forwards' ? { ...each, value: '0' } : each,
  );
  caller.send({ ...invite, headers: last }, port());
  const [request] = await coming;
  await expect(site.srf.proxyRequest(request, `sip:${a.address}`)).rejects.toMatch(/483 Too Many/);
  await caller.response(483);
});

test('redirects are followed when asked for', async () => {
  const outcome = start({ followRedirects: true }, [a]);
  const invite = await a.request('INVITE');
  a.answer(invite, 302, { extra: [{ name: 'Contact', value: `<sip:t@${b.address}>` }] });
  // The answer of a test peer has its own Contact first, which leads to itself once more.
  a.answer(await a.request('INVITE'), 404);
  const second = await b.request('INVITE');
  b.answer(second, 200, { body: sdp('b') });
  await caller.response(200);
  expect(await outcome).toMatchObject({ connected: true, statuses: [302, 404, 200] });
});

test('a request other than INVITE is proxied as well', async () => {
  const coming = nextRequest(site, 'message');
  caller.send(caller.compose('MESSAGE', `sip:desk@${site.address}`, { callId: 'm' }), port());
  const [request] = await coming;
  const proxying = site.srf.proxyRequest(request, `sip:${a.address}`);
  a.answer(await a.request('MESSAGE'), 202);
  await caller.response(202);
  expect(await proxying).toMatchObject({ finalStatus: 202 });
});
