import { expect, onTestFinished, test } from 'vitest';
import { header } from '../../src/sip/message/headers.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import type { Dialog } from '../drachtio/client.ts';
import { nextRequest, type Site, sdp, startSite } from '../drachtio/site.ts';
import { makeCertificate } from './certificates.ts';
import { eventually } from './station.ts';
import { contact, WebSocketPhone } from './web-socket-phone.ts';

const tls = makeCertificate(['IP:127.0.0.1']);

interface Scene {
  readonly site: Site;
  readonly phone: WebSocketPhone;
  /** Where the server says that it is. */
  readonly server: string;
}

async function start(protocol: 'ws' | 'wss'): Promise<Scene> {
  const site = await startSite({ listen: [{ protocol, address: '127.0.0.1', port: 0 }], tls });
  onTestFinished(() => site.close());
  const at = `127.0.0.1:${site.server.listenPoints[0]?.port}`;
  const ca = protocol === 'wss' ? tls.ca : undefined;
  const phone = await WebSocketPhone.open(`${protocol}://${at}`, ca);
  return { site, phone, server: `sip:${at};transport=ws` };
}

/** The phone calls and its call is answered. */
async function callIn({ site, phone, server }: Scene): Promise<{ dialog: Dialog; ok: SipMessage }> {
  const invited = nextRequest(site, 'invite');
  phone.send('INVITE', 'sip:bob@example.test', { body: sdp('phone') });
  const [request, response] = await invited;
  const answered = site.srf.createUAS(request, response, { localSdp: sdp('desk') });
  const ok = await phone.next('200');
  expect(header(ok, 'contact')).toBe(`<${server}>`);
  expect(ok.body.toString()).toContain('o=desk');
  phone.send('ACK', server, { to: header(ok, 'to') ?? '' });
  return { dialog: await answered, ok };
}

/** The phone registers and is called. */
async function callOut({ site, phone }: Scene): Promise<{ dialog: Dialog; invite: SipMessage }> {
  site.on['register'] = (_, response) => response.send(200);
  phone.send('REGISTER', 'sip:example.test');
  await phone.next('200');
  const called = site.srf.createUAC(contact, { localSdp: sdp('desk') });
  const invite = await phone.asked('INVITE');
  phone.answer(invite, 180);
  phone.answer(invite, 200, sdp('phone'));
  await phone.asked('ACK');
  return { dialog: await called, invite };
}

const idle = ({ site }: Scene) =>
  eventually(() => expect(site.server.load()).toMatchObject({ dialogs: 0, unanswered: 0 }));

test.each(['ws', 'wss'] as const)('over %s the phone calls and hangs up', async (protocol) => {
  const scene = await start(protocol);
  const { dialog, ok } = await callIn(scene);
  const ended = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()));
  scene.phone.send('BYE', scene.server, { to: header(ok, 'to') ?? '' });
  expect(header(await scene.phone.next('200'), 'cseq')).toMatch(/BYE$/);
  await ended;
  await idle(scene);
});

test.each(['ws', 'wss'] as const)('over %s the phone calls and is hung up on', async (protocol) => {
  const scene = await start(protocol);
  const { dialog } = await callIn(scene);
  const ended = dialog.destroy();
  const bye = await scene.phone.asked('BYE');
  expect(bye.uri).toBe(contact);
  scene.phone.answer(bye, 200);
  await ended;
  await idle(scene);
});

test.each(['ws', 'wss'] as const)(
  'over %s a registered phone is called and hangs up',
  async (protocol) => {
    const scene = await start(protocol);
    const { dialog, invite } = await callOut(scene);
    expect(header(invite, 'via')).toMatch(new RegExp(`^SIP/2.0/${protocol.toUpperCase()} 127`));
    expect(header(invite, 'contact')).toBe(`<${scene.server}>`);
    const ended = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()));
    scene.phone.send('BYE', scene.server, {
      to: header(invite, 'from') ?? '',
      from: `${header(invite, 'to')};tag=phone`,
      callId: header(invite, 'call-id') ?? '',
    });
    await scene.phone.next('200');
    await ended;
    await idle(scene);
  },
);

test.each(['ws', 'wss'] as const)(
  'over %s a registered phone is called and hung up on',
  async (protocol) => {
    const scene = await start(protocol);
    const { dialog } = await callOut(scene);
    const ended = dialog.destroy();
    const bye = await scene.phone.asked('BYE');
    expect(bye.uri).toBe(contact);
    scene.phone.answer(bye, 200);
    await ended;
    await idle(scene);
  },
);

test('of two connections with one Contact the last that registered it is called', async () => {
  const { site, phone } = await start('ws');
  site.on['register'] = (_, response) => response.send(200);
  phone.send('REGISTER', 'sip:example.test');
  await phone.next('200');
  const second = await WebSocketPhone.open(`ws://127.0.0.1:${site.server.listenPoints[0]?.port}`);
  const called = site.srf.createUAC(contact, { localSdp: sdp('desk') });
  phone.answer(await phone.asked('INVITE'), 486);
  await expect(called).rejects.toMatchObject({ status: 486 });
  // The same address of record from another tab: the last one has it.
  second.send('REGISTER', 'sip:example.test');
  await second.next('200');
  const again = site.srf.createUAC(contact, { localSdp: sdp('desk') });
  second.answer(await second.asked('INVITE'), 486);
  await expect(again).rejects.toMatchObject({ status: 486 });
});
