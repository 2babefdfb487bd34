import { once } from 'node:events';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sipp } from '../support/sipp.ts';
import { askSip, Pod, request } from './pod.ts';

let pod: Pod;

const auth = { realm: 'parley', users: [{ name: 'ann', passwordFile: import.meta.filename }] };
const neighbours = { sourceRanges: ['127.0.0.1/32'] };

afterEach(async () => {
  await pod.close();
});

test('over UDP a stranger gets no answer, a neighbour the challenge', async () => {
  pod = await Pod.start({ settings: { sip: { ...neighbours, auth } } });
  const target = pod.at('udp');
  expect(await askSip(target, 'INVITE', { from: '127.0.0.2', wait: 500 })).toBe('');
  expect(await askSip(target, 'OPTIONS', { from: '127.0.0.2', wait: 300 })).toBe('');
  expect(await pod.metric('parley_sip_strangers_total')).toBe(2);
  expect(await askSip(target, 'INVITE')).toContain('SIP/2.0 401');
  expect(await pod.metric('parley_sip_strangers_total')).toBe(2);
});

const invite = request('INVITE', { target: '127.0.0.1', own: '127.0.0.2' });

test.each([
  { name: 'a request', text: invite },
  { name: 'a wrong request', text: invite.replace('CSeq: 1', 'CSeq: one') },
])('over TCP the connection of a stranger is closed on $name', async ({ text }) => {
  pod = await Pod.start({ settings: { sip: neighbours } });
  const [host = '', port = ''] = pod.at('tcp').split(':');
  const socket = connect({ host, port: Number(port), localAddress: '127.0.0.2' });
  const received: Buffer[] = [];
  socket.on('data', (bytes) => void received.push(bytes));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  await once(socket, 'close');
  expect(Buffer.concat(received).toString()).toBe('');
  expect(await pod.metric('parley_sip_strangers_total')).toBe(1);
});

test('who loses access keeps the call that is up', async () => {
  pod = await Pod.start({ settings: { sip: neighbours } });
  const target = pod.at('udp');
  const call = sipp({
    scenario: resolve(import.meta.dirname, '../peers/scenarios/call.xml'),
    target,
    flags: '-s pizza -key rtp_port 28330',
  });
  const soon = { timeout: 5000, interval: 20 };
  await expect.poll(() => pod.app.activeCalls(), soon).toBe(1);
  pod.configure({ revision: 'r2', sip: { sourceRanges: ['127.0.0.2'] } });
  await expect.poll(() => pod.app.status().revision, soon).toBe('r2');
  expect(pod.app.activeCalls()).toBe(1);
  expect(await askSip(target, 'OPTIONS', { wait: 300 })).toBe('');
  expect((await call).errors).toBe('');
  expect(await askSip(target, 'OPTIONS', { from: '127.0.0.2' })).toContain('SIP/2.0 200');
});
