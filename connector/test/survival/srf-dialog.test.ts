import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { DialogRecord } from '../../src/calls/srf-dialog.ts';
import { type SipServer, startSipServer } from '../../src/drachtio/start.ts';
import { header } from '../../src/sip/message/headers.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import { Peer, toTagOf } from '../drachtio/peer.ts';
import { sdp } from '../drachtio/site.ts';
import { secret } from './server.ts';
import { DialogApplication } from './srf-dialog-application.ts';

/** The contract with drachtio-srf's inner parts that `calls/srf-dialog.ts` rests on. */

let server: SipServer;
let peer: Peer;
let application: DialogApplication;

beforeEach(async () => {
  server = await startSipServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    drachtio: { address: '127.0.0.1', port: 0, secret },
    clock: systemClock,
    log: silentLog,
  });
  peer = await Peer.open();
  application = await start([]);
});

afterEach(async () => {
  await application.kill();
  peer.close();
  await server.close();
});

function start(records: readonly DialogRecord[]): Promise<DialogApplication> {
  return DialogApplication.start({ port: server.drachtioPort, secret, records });
}

/** A new process has the calls of the one that was killed. */
async function restart(records: readonly DialogRecord[]): Promise<void> {
  await application.kill();
  peer.inbox.length = 0;
  application = await start(records);
}

/** A call that is up, as the peer sends in it. */
interface Call {
  readonly record: DialogRecord;
  readonly send: (method: string, sequence: number, body?: string) => void;
}

interface Names {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag?: string;
}

async function begun(names: Names): Promise<Call> {
  const { record } = await application.next('up');
  if (!record) throw new Error('the application has no record of its call');
  return { record, send: sender(names) };
}

function sender(names: Names): Call['send'] {
  const port = server.listenPoints[0]?.port ?? 0;
  return (method, sequence, body = '') => {
    const extra = method === 'REFER' ? [{ name: 'Refer-To', value: '<sip:b@192.0.2.7>' }] : [];
    const uri = `sip:app@127.0.0.1:${port}`;
    peer.send(peer.compose(method, uri, { ...names, sequence, body, extra }), port);
  };
}

const begin = {
  uas: async (): Promise<Call> => {
    const names = { callId: 'in-1', fromTag: 'peer' };
    sender(names)('INVITE', 1, sdp('peer'));
    const toTag = toTagOf(await peer.response(200));
    sender({ ...names, toTag })('ACK', 1);
    return begun({ ...names, toTag });
  },
  uac: async (): Promise<Call> => {
    application.order({ kind: 'call', uri: `sip:peer@${peer.address}` });
    const invite = await peer.request('INVITE');
    peer.answer(invite, 200, { body: sdp('peer') });
    await peer.request('ACK');
    const callId = header(invite, 'call-id') ?? '';
    const toTag = /;tag=([^;]+)/.exec(header(invite, 'from') ?? '')?.[1] ?? '';
    return begun({ callId, fromTag: 'peer', toTag });
  },
};

const sequenceOf = (message: SipMessage) => Number.parseInt(header(message, 'cseq') ?? '', 10);

const roles = ['uas', 'uac'] as const;

test.each(roles)(
  'a new process ends the %s dialog of the one before',
  async (role) => {
    const { record } = await begin[role]();
    await restart([record]);
    application.order({ kind: 'destroy', id: record.id });
    const bye = await peer.request('BYE');
    expect(header(bye, 'call-id')).toBe(record.sip.callId);
    expect(header(bye, 'from')).toContain(`;tag=${record.sip.localTag}`);
    expect(header(bye, 'to')).toContain(`;tag=${record.sip.remoteTag}`);
    peer.answer(bye, 200);
    await application.next('done');
    await expect.poll(() => server.load().dialogs).toBe(0);
  },
  60_000,
);

test.each(roles)(
  'a new process modifies the %s dialog, twice',
  async (role) => {
    const { record } = await begin[role]();
    await restart([record]);
    for (const port of [40_010, 40_020]) {
      application.order({ kind: 'modify', id: record.id, sdp: sdp('app', port) });
      const invite = await peer.request('INVITE');
      expect(String(invite.body)).toBe(sdp('app', port));
      expect(header(invite, 'contact')).toBe(record.local.contact);
      peer.answer(invite, 200, { body: sdp('peer', port) });
      expect(sequenceOf(await peer.request('ACK'))).toBe(sequenceOf(invite));
      const done = await application.next('done');
      expect(done.result).toBe(sdp('peer', port));
      expect(done.record?.local.sdp).toBe(sdp('app', port));
      expect(done.record?.remote.sdp).toBe(sdp('peer', port));
    }
  },
  60_000,
);

test.each(roles)(
  'a new process takes the %s dialog off hold',
  async (role) => {
    const { record } = await begin[role]();
    const { id } = record;
    application.order({ kind: 'modify', id, sdp: 'hold' });
    peer.answer(await peer.request('INVITE'), 200, { body: sdp('peer') });
    const held = (await application.next('done')).record;
    expect(held?.onHold).toBe(true);
    await restart(held ? [held] : []);
    application.order({ kind: 'modify', id, sdp: 'unhold' });
    const invite = await peer.request('INVITE');
    expect(String(invite.body)).toBe(sdp('app'));
    peer.answer(invite, 200, { body: sdp('peer') });
    await application.next('done');
  },
  60_000,
);

test.each(roles)(
  'a new process asks in the %s dialog',
  async (role) => {
    const { record } = await begin[role]();
    await restart([record]);
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['INFO', 415],
      ['REFER', 202],
    ] as const) {
      application.order({ kind: 'request', id: record.id, method });
      peer.answer(await peer.request(method), status);
      expect((await application.next('done')).result).toBe(String(status));
    }
  },
  60_000,
);

test.each(roles)(
  'what the far end asks comes to the %s dialog of a new process',
  async (role) => {
    const { record, send } = await begin[role]();
    await restart([record]);
    for (const [method, event, sequence] of [
      ['INFO', 'info', 11],
      ['REFER', 'refer', 12],
      ['OPTIONS', 'options', 13],
      ['INVITE', 'modify', 14],
      ['BYE', 'destroy', 15],
    ] as const) {
      send(method, sequence, method === 'INVITE' ? sdp('peer', 40_002) : '');
      expect((await application.next(event)).id).toBe(record.id);
      const answer = await peer.response(method === 'REFER' ? 202 : 200);
      expect(header(answer, 'cseq')).toBe(`${sequence} ${method}`);
      if (method !== 'INVITE') continue;
      expect(String(answer.body)).toBe(record.local.sdp);
      send('ACK', sequence);
      expect((await application.next('ack')).id).toBe(record.id);
    }
    await expect.poll(() => server.load().dialogs).toBe(0);
  },
  60_000,
);

test.each(roles)(
  'what came in the gap comes to the %s dialog of a new process',
  async (role) => {
    const { record, send } = await begin[role]();
    await application.kill();
    send('INFO', 11);
    application = await start([record]);
    expect((await application.next('info')).id).toBe(record.id);
    await application.kill();
    send('BYE', 12);
    application = await start([record]);
    expect((await application.next('destroy')).id).toBe(record.id);
  },
  60_000,
);

test('a new process ends a subscription', async () => {
  const port = server.listenPoints[0]?.port ?? 0;
  const extra = [
    { name: 'Event', value: 'presence' },
    { name: 'Expires', value: '3600' },
  ];
  peer.send(peer.compose('SUBSCRIBE', `sip:app@127.0.0.1:${port}`, { extra }), port);
  await peer.response(202);
  const { record } = await application.next('up');
  await restart(record ? [record] : []);
  application.order({ kind: 'destroy', id: record?.id ?? '' });
  const notify = await peer.request('NOTIFY');
  expect(header(notify, 'event')).toBe('presence');
  expect(header(notify, 'subscription-state')).toContain('terminated');
  peer.answer(notify, 200);
  await application.next('done');
}, 60_000);
