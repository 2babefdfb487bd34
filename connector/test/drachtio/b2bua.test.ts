import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { Dialog } from './client.ts';
import { Peer, toTagOf } from './peer.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

let site: Site;
let caller: Peer;
let callee: Peer;

beforeEach(async () => {
  [site, caller, callee] = [await startSite(), await Peer.open(), await Peer.open()];
});

afterEach(async () => {
  caller.close();
  callee.close();
  await site.close();
});

const port = () => Number(site.address.split(':')[1]);

/** The caller calls, the application bridges to the callee. */
async function bridge(options: object = {}) {
  const coming = nextRequest(site, 'invite');
  caller.send(
    caller.compose('INVITE', `sip:desk@${site.address}`, { body: sdp('caller') }),
    port(),
  );
  const [request, response] = await coming;
  const bridging = site.srf.createB2BUA(request, response, `sip:callee@${callee.address}`, options);
  bridging.catch(() => undefined);
  return { bridging, invite: await callee.request('INVITE') };
}

async function bridged(): Promise<{ uas: Dialog; uac: Dialog; tag: string }> {
  const { bridging, invite } = await bridge();
  callee.answer(invite, 200, { tag: 'callee', body: sdp('callee') });
  const ok = await caller.response(200);
  const tag = toTagOf(ok);
  caller.send(caller.compose('ACK', `sip:${site.address}`, { toTag: tag, branch: 'ack' }), port());
  await callee.request('ACK');
  return { ...(await bridging), tag };
}

test('both legs come up with the bodies passed through', async () => {
  const { bridging, invite } = await bridge({ headers: { 'X-Leg': 'b' } });
  expect(invite.body.toString()).toBe(sdp('caller'));
  expect(header(invite, 'x-leg')).toBe('b');
  expect(header(invite, 'call-id')).not.toBe('peer-1');
  callee.answer(invite, 183, { body: sdp('early') });
  expect((await caller.response(183)).body.toString()).toBe(sdp('early'));
  callee.answer(invite, 200, { body: sdp('callee') });
  expect((await caller.response(200)).body.toString()).toBe(sdp('callee'));
  const { uas, uac } = await bridging;
  expect(uas.other).toBe(uac);
});

test('the caller hangs up, the application ends the other leg', async () => {
  const { uas, uac, tag } = await bridged();
  uas.on('destroy', () => {
    uac.destroy().catch(() => undefined);
  });
  caller.send(caller.compose('BYE', `sip:${site.address}`, { toTag: tag, sequence: 2 }), port());
  await caller.response(200);
  const bye = await callee.request('BYE');
  callee.answer(bye, 200);
  expect(header(bye, 'call-id')).toBe(uac.sip.callId);
});

test('the callee hangs up, the application ends the other leg', async () => {
  const { uas, uac } = await bridged();
  uac.on('destroy', () => {
    uas.destroy().catch(() => undefined);
  });
  callee.send(
    callee.compose('BYE', `sip:${site.address}`, {
      callId: uac.sip.callId,
      fromTag: 'callee',
      toTag: uac.sip.localTag,
    }),
    port(),
  );
  await callee.response(200);
  const bye = await caller.request('BYE');
  caller.answer(bye, 200);
  expect(header(bye, 'call-id')).toBe(uas.sip.callId);
});

test('a failure of the callee is passed on', async () => {
  const { bridging, invite } = await bridge();
  callee.answer(invite, 486, { reason: 'Busy Here' });
  await caller.response(486);
  await expect(bridging).rejects.toMatchObject({ status: 486 });
});

test('the caller gives up while it rings', async () => {
  const { bridging, invite } = await bridge();
  callee.answer(invite, 180);
  await caller.response(180);
  caller.send(
    caller.compose('CANCEL', `sip:desk@${site.address}`, { branch: 'INVITE-1-peer-1' }),
    port(),
  );
  await caller.response(487);
  callee.answer(await callee.request('CANCEL'), 200);
  callee.answer(invite, 487);
  await expect(bridging).rejects.toMatchObject({ status: 487 });
});
