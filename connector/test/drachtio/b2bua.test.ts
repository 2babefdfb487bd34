import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
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

/**
 * Either side's change of the session goes to the other. Not by `modify`: in drachtio-srf a dialog whose
 * change was refused once never sends another.
 */
function passOn({ uas, uac }: { uas: Dialog; uac: Dialog }): void {
  for (const [from, to] of [
    [uas, uac],
    [uac, uas],
  ] as const) {
    from.on('modify', (request, response) => {
      const options = { method: 'INVITE', stackDialogId: to.id, body: request.body };
      site.srf
        .request('sip:placeholder', options)
        .then((sent) =>
          sent.on('response', ({ status, body }, ack) => {
            if (status >= 200 && status < 300) ack();
            if (status >= 200) response.send(status, { body });
          }),
        )
        .catch(() => response.send(500));
    });
  }
}

test('re-INVITEs on both legs at once: 491 both, and later both succeed', async () => {
  const { uas, uac, tag } = await bridged();
  passOn({ uas, uac });
  const fromCaller = (sequence: number) =>
    caller.compose('INVITE', `sip:${site.address}`, {
      toTag: tag,
      sequence,
      body: sdp('caller', 41_000),
    });
  const fromCallee = (sequence: number) =>
    callee.compose('INVITE', `sip:${site.address}`, {
      callId: uac.sip.callId,
      fromTag: 'callee',
      toTag: uac.sip.localTag,
      sequence,
      body: sdp('callee', 42_000),
    });
  caller.send(fromCaller(2), port());
  callee.send(fromCallee(1), port());
  expect(header(await caller.response(491), 'cseq')).toBe('2 INVITE');
  expect(header(await callee.response(491), 'cseq')).toBe('1 INVITE');
  acknowledge(caller, fromCaller(2));
  acknowledge(callee, fromCallee(1));
  // §14.1: who did not begin the call (its Call-ID is the other's) waits up to 2 s, the other longer.
  await sleep(500);
  callee.send(fromCallee(2), port());
  const toCaller = await caller.request('INVITE');
  expect(toCaller.body.toString()).toBe(sdp('callee', 42_000));
  caller.answer(toCaller, 200, { body: sdp('caller', 41_002) });
  expect((await callee.response(200)).body.toString()).toBe(sdp('caller', 41_002));
  await caller.request('ACK');
  acknowledge(callee, fromCallee(2), 'ack-2');
  await sleep(1700);
  caller.send(fromCaller(3), port());
  const toCallee = await callee.request('INVITE');
  expect(toCallee.body.toString()).toBe(sdp('caller', 41_000));
  callee.answer(toCallee, 200, { body: sdp('callee', 42_002) });
  expect((await caller.response(200)).body.toString()).toBe(sdp('callee', 42_002));
  await callee.request('ACK');
});

/** ACK of an INVITE: with its branch for a failure, with one of its own for a 2xx. */
function acknowledge(from: Peer, invite: SipRequest, branch?: string): void {
  const headers = invite.headers
    .filter(({ name }) => name !== 'Content-Type')
    .map(({ name, value }) => {
      if (name === 'CSeq') return { name, value: value.replace('INVITE', 'ACK') };
      const isOwn = name === 'Via' && branch !== undefined;
      return {
        name,
        value: isOwn ? value.replace(/branch=[^;]+/, `branch=z9hG4bK${branch}`) : value,
      };
    });
  from.send({ ...invite, method: 'ACK', headers, body: Buffer.alloc(0) }, port());
}
