import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { nextRequest, startSite } from '../drachtio/site.ts';
import { eventually, ok, options, type Station, startStation } from './station.ts';

interface Line {
  readonly socket: Socket;
  readonly port: number;
  readonly heard: () => string;
}

async function dial(station: Station): Promise<Line> {
  const socket = connect(station.at('tcp').port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await once(socket, 'connect');
  return { socket, port: socket.localPort ?? 0, heard: () => text };
}

const claiming = (id: string, port: number) =>
  options(id).toString().replace('a.test;branch', `127.0.0.1:${port};alias;branch`);

test('a Via with the address of another neither gets its responses nor its requests', async () => {
  const station = await startStation({ listen: ['tcp'] });
  const [victim, stranger] = [await dial(station), await dial(station)];
  victim.socket.write(options('own'));
  const own = await station.next('own');
  stranger.socket.write(claiming('claim', victim.port));
  const claim = await station.next('claim');
  await station.transport.send(ok(claim.message), claim.remote);
  await station.transport.send(ok(own.message), own.remote);
  const remote = { protocol: 'tcp', address: '127.0.0.1', port: victim.port } as const;
  await station.transport.send(options('request'), remote);
  await eventually(() => expect(victim.heard()).toMatch(/own[^]*OPTIONS[^]*request/));
  await eventually(() => expect(stranger.heard()).toMatch(/claim/));
  expect(victim.heard()).not.toMatch(/claim/);
  expect(stranger.heard()).not.toMatch(/own|request/);
});

test('when its connection is lost, the response to a stranger is no reason to use that of another', async () => {
  const station = await startStation({ listen: ['tcp'] });
  const [victim, stranger] = [await dial(station), await dial(station)];
  stranger.socket.write(claiming('claim', victim.port));
  const { message, remote } = await station.next('claim');
  stranger.socket.destroy();
  await eventually(() => expect(station.transport.stats().inbound).toBe(1));
  const sent = station.transport.send(ok(message), remote);
  await expect(sent).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  expect(victim.heard()).toBe('');
});

const register = (contact: string, branch: string) =>
  [
    'REGISTER sip:example.test SIP/2.0',
    `Via: SIP/2.0/WS x1.invalid;branch=${branch}`,
    'From: <sip:a@example.test>;tag=1',
    'To: <sip:a@example.test>',
    'Call-ID: reg',
    'CSeq: 1 REGISTER',
    'Max-Forwards: 70',
    `Contact: <${contact};transport=ws>`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

test('a Contact that no REGISTER was granted for is not taken, be the branch that of one', async () => {
  const site = await startSite({ listen: [{ protocol: 'ws', address: '127.0.0.1', port: 0 }] });
  onTestFinished(() => site.close());
  const [point] = site.server.listenPoints;
  const socket = new WebSocket(`ws://127.0.0.1:${point?.port}`, 'sip');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  const heard: string[] = [];
  socket.on('message', (data: Buffer) => heard.push(data.toString()));
  const asked = nextRequest(site, 'register');
  socket.send(register('sip:own@x1.invalid', 'z9hG4bKsame'));
  const [, response] = await asked;
  // A repetition of the first, as far as transactions go.
  socket.send(register('sip:victim@x2.invalid', 'z9hG4bKsame'));
  await eventually(() => expect(site.server.transportStats().received.ws).toBe(2));
  response.send(200);
  await eventually(() => expect(heard.join('')).toContain('SIP/2.0 200'));
  heard.length = 0;
  await site.srf
    .request('sip:victim@x2.invalid;transport=ws', { method: 'MESSAGE' })
    .catch(() => undefined);
  await site.srf.request('sip:own@x1.invalid;transport=ws', { method: 'MESSAGE' });
  await eventually(() => expect(heard.length).toBeGreaterThan(0));
  expect(heard.join('')).toContain('MESSAGE sip:own@');
  expect(heard.join('')).not.toContain('victim');
});
