import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { FileJournal } from '../../src/sip/journal/file-journal.ts';
import { header } from '../../src/sip/message/headers.ts';
import type { SipResponse } from '../../src/sip/message/message.ts';
import { connected, createSrf, type Srf } from '../drachtio/client.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { JournalledServer, secret } from './server.ts';

let server: JournalledServer;
let peer: Peer;
let srf: Srf;
let isHere = false;

beforeEach(async () => {
  server = new JournalledServer();
  peer = await Peer.open();
  await server.start();
  srf = createSrf();
});

afterEach(async () => {
  leave();
  peer.close();
  await server.close();
});

async function join(): Promise<void> {
  await connected(srf, server.drachtioPort, secret);
  isHere = true;
}

function leave(): void {
  if (isHere) srf.disconnect();
  isHere = false;
}

/** The peer calls; resolves with our 200, which nobody has acknowledged. */
async function callIn(): Promise<{ ok: SipResponse; dialog: string }> {
  srf.use('invite', (_request, response) => {
    response.send(200, { headers: { 'Content-Type': 'application/sdp' }, body: sdp('app') });
  });
  await join();
  const uri = `sip:app@127.0.0.1:${server.sipPort}`;
  peer.send(peer.compose('INVITE', uri, { body: sdp('peer') }), server.sipPort);
  const ok = await peer.response(200);
  return { ok, dialog: 'peer-1;from-tag=peer' };
}

function acknowledge(ok: SipResponse): void {
  const uri = `sip:app@127.0.0.1:${server.sipPort}`;
  const ack = peer.compose('ACK', uri, { toTag: toTagOf(ok), branch: 'ack' });
  peer.send(ack, server.sipPort);
}

/** A command by dialog id, as a new application would send it. */
async function send(dialog: string, method: string): Promise<void> {
  await srf.request('sip:placeholder', { method, stackDialogId: dialog });
}

async function restart(): Promise<void> {
  leave();
  await server.kill();
  await server.start();
  srf = createSrf();
  await join();
}

test('a dialog takes commands after a SIGKILL of the server, with the next CSeq', async () => {
  const { ok, dialog } = await callIn();
  acknowledge(ok);
  await send(dialog, 'INFO');
  const first = await peer.request('INFO');
  peer.answer(first, 200);
  await restart();
  await send(dialog, 'INFO');
  const second = await peer.request('INFO');
  expect(Number.parseInt(header(second, 'cseq') ?? '', 10)).toBe(
    Number.parseInt(header(first, 'cseq') ?? '', 10) + 1,
  );
  for (const name of ['from', 'to', 'call-id']) {
    expect(header(second, name)).toBe(header(first, name));
  }
  peer.answer(second, 200);
  await send(dialog, 'BYE');
  peer.answer(await peer.request('BYE'), 200);
}, 60_000);

test('a 200 without ACK is repeated after a SIGKILL, until its ACK comes', async () => {
  const { ok } = await callIn();
  leave();
  await server.kill();
  peer.inbox.length = 0;
  await server.start();
  const again = await peer.response(200);
  expect(again.headers).toEqual(ok.headers);
  expect(again.body).toEqual(ok.body);
  acknowledge(ok);
  await new Promise((done) => setTimeout(done, 700));
  peer.inbox.length = 0;
  await new Promise((done) => setTimeout(done, 4_500));
  expect(peer.inbox).toEqual([]);
}, 60_000);

test('a call that rings when the server is killed has a final answer within 5 s', async () => {
  srf.use('invite', (_request, response) => response.send(180));
  await join();
  const uri = `sip:app@127.0.0.1:${server.sipPort}`;
  peer.send(peer.compose('INVITE', uri, { body: sdp('peer') }), server.sipPort);
  await peer.response(180);
  leave();
  await server.kill();
  await server.start();
  const final = await peer.response(503);
  expect(header(final, 'cseq')).toBe('1 INVITE');
}, 60_000);

test('ten thousand dialogs are back within a second of work', async () => {
  const { ok, dialog } = await callIn();
  acknowledge(ok);
  await send(dialog, 'INFO');
  await peer.request('INFO');
  leave();
  await server.kill();
  const empty = await server.start();
  await server.kill();
  const journal = FileJournal.open(path.join(server.folder, 'journal'), silentLog);
  const [[, record] = []] = [...journal.found].filter(([key]) => key.startsWith('dialog '));
  const { state, ...rest } = record as { state: object };
  for (let each = 0; each < 10_000; each++) {
    const callId = `call-${each}`;
    const names = { callId, id: `${callId};from-tag=peer` };
    journal.put(`dialog ${callId}`, { ...rest, state: { ...state, ...names } });
  }
  journal.close();
  const full = await server.start();
  expect(full - empty).toBeLessThan(1_000);
}, 60_000);
