import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sipp } from '../support/sipp.ts';
import type { Dialog } from './client.ts';
import { type Site, sdp, startSite } from './site.ts';

const callers = resolve(import.meta.dirname, '../peers/scenarios');
const callees = resolve(import.meta.dirname, 'scenarios');

/** No media flows; the scenarios want to say a port. */
const mediaPort = '-key rtp_port 40000';

let site: Site;

afterEach(() => site.close());

/** Answers every call after ringing; `ringing` for those that only ring. */
function serve(mode: 'answer' | 'ring'): { dialogs: Dialog[]; ended: string[] } {
  const seen = { dialogs: [] as Dialog[], ended: [] as string[] };
  site.on['invite'] = (request, response) => {
    response.send(180);
    request.on('cancel', () => seen.ended.push('cancel'));
    if (mode === 'ring') return;
    site.srf.createUAS(request, response, { localSdp: sdp('desk') }).then(
      (dialog) => {
        seen.dialogs.push(dialog);
        dialog.on('destroy', () => seen.ended.push('bye'));
        return dialog;
      },
      () => seen.ended.push('failed'),
    );
  };
  return seen;
}

test.each([
  ['udp', '-t u1'],
  ['tcp', '-t t1'],
])('50 calls of sipp over %s', async (protocol, flags) => {
  site = await startSite();
  const { dialogs, ended } = serve('answer');
  const result = await sipp({
    scenario: `${callers}/short-call.xml`,
    target: protocol === 'udp' ? site.address : site.tcpAddress,
    flags: `${flags} -m 50 -r 50 ${mediaPort}`,
  });
  expect(result).toEqual({ passed: true, errors: '' });
  expect(dialogs).toHaveLength(50);
  // sipp is content with the server's 200; the application hears of the BYE by its own socket.
  await expect.poll(() => ended).toEqual(dialogs.map(() => 'bye'));
  expect(site.server.load()).toMatchObject({ dialogs: 0, unanswered: 0 });
});

test('sipp cancels', async () => {
  site = await startSite();
  const { ended } = serve('ring');
  const result = await sipp({
    scenario: `${callers}/cancel.xml`,
    target: site.address,
    flags: mediaPort,
  });
  expect(result).toEqual({ passed: true, errors: '' });
  expect(ended).toEqual(['cancel']);
});

test('sipp hangs up before its ACK', async () => {
  site = await startSite();
  const { dialogs } = serve('answer');
  const scenario = `${callers}/bye-before-ack.xml`;
  const result = await sipp({ scenario, target: site.address, flags: mediaPort });
  expect(result).toEqual({ passed: true, errors: '' });
  expect(dialogs).toHaveLength(1);
});

test.each([
  ['secret', undefined],
  ['wrong', 403],
])('sipp asks for a digest and checks it: %s', async (password, status) => {
  site = await startSite();
  const port = await freePort();
  const callee = sipp({ scenario: `${callees}/callee-digest.xml`, flags: `-p ${port}` });
  const answer = await site.srf
    .createUAC(`sip:bob@127.0.0.1:${port}`, {
      localSdp: sdp('desk'),
      auth: { username: 'bob', password },
    })
    .then(
      async (dialog) => {
        await dialog.destroy();
        return undefined;
      },
      (error: { status?: number }) => error.status,
    );
  expect(answer).toBe(status);
  expect(await callee).toEqual({ passed: true, errors: '' });
});

test('reliable provisionals of sipp are acknowledged in turn, and an UPDATE of ours is answered', async () => {
  site = await startSite();
  const port = await freePort();
  const callee = sipp({ scenario: `${callees}/callee-reliable.xml`, flags: `-p ${port}` });
  const dialog = await site.srf.createUAC(`sip:bob@127.0.0.1:${port}`, {
    localSdp: sdp('desk'),
    headers: { Supported: '100rel' },
  });
  const headers = { 'Content-Type': 'application/sdp' };
  const update = await dialog.request({ method: 'UPDATE', headers, body: sdp('desk', 41_000) });
  expect(update.status).toBe(200);
  expect(update.body).toContain('m=audio 40002');
  await dialog.destroy();
  expect(await callee).toEqual({ passed: true, errors: '' });
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
