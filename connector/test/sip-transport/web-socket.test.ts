import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import { makeCertificate } from './certificates.ts';
import { eventually, ok, options, type Station, startStation } from './station.ts';

const listening = () => startStation({ listen: ['ws'] });

function socketTo(station: Station, subprotocol = 'sip', ca?: string): WebSocket {
  const protocol = ca === undefined ? 'ws' : 'wss';
  const { port } = station.at(protocol);
  const socket = new WebSocket(`${protocol}://127.0.0.1:${port}`, subprotocol, ca ? { ca } : {});
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  return socket;
}

async function openTo(station: Station, ca?: string): Promise<WebSocket> {
  const socket = socketTo(station, 'sip', ca);
  await once(socket, 'open');
  return socket;
}

const register = (id: string) =>
  options(id)
    .toString()
    .replaceAll('OPTIONS', 'REGISTER')
    .replace('CSeq:', 'Contact: <sip:a@x1.invalid;transport=ws>\r\nCSeq:');

test.each([true, false])('messages travel both ways, binary %s', async (binary) => {
  const station = await listening();
  const socket = await openTo(station);
  const answer = once(socket, 'message');
  socket.send(options('w1'), { binary });
  const { message, remote } = await station.next('w1');
  expect(remote.protocol).toBe('ws');
  await station.transport.send(ok(message), remote);
  expect(String((await answer)[0])).toMatch(/^SIP\/2\.0 200 OK/);
});

test('the same over TLS', async () => {
  const { key, cert, ca } = makeCertificate(['IP:127.0.0.1']);
  const station = await startStation({ listen: ['wss'], tls: { key, cert } });
  (await openTo(station, ca)).send(options('w2'));
  expect((await station.next('w2')).remote.protocol).toBe('wss');
});

test('another subprotocol gets 400', async () => {
  const socket = socketTo(await listening(), 'chat');
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ];
  expect(response.statusCode).toBe(400);
});

test('a refused client that keeps its half of the connection open does not hold ours', async () => {
  const { port } = (await listening()).at('ws');
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined).resume();
  socket.write(
    'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await once(socket, 'end');
  await eventually(() => {
    // Only a socket that is gone answers this with a reset.
    socket.write('x');
    expect(socket.destroyed).toBe(true);
  });
});

test('a registered Contact leads to its connection until that is lost', async () => {
  const station = await listening();
  const socket = await openTo(station);
  const contact = parseSipUri('sip:a@x1.invalid;transport=ws')!;
  socket.send(register('w3'));
  const { message, remote } = await station.next('w3');
  expect(station.transport.flowTo(contact)).toBeUndefined();
  if (message.kind === 'request') station.transport.registered(message, remote);
  expect(station.transport.flowTo(contact)?.connection).toBe(remote.connection);
  socket.terminate();
  await eventually(() => expect(station.transport.flowTo(contact)).toBeUndefined());
  const sent = station.transport.send(options('w4'), remote);
  await expect(sent).rejects.toMatchObject({ code: 'NO_CONNECTION' });
});

test('a line end ping gets its pong', async () => {
  const socket = await openTo(await listening());
  const answer = once(socket, 'message');
  socket.send('\r\n\r\n');
  expect(String((await answer)[0])).toBe('\r\n');
});

test('a frame that is too long ends the connection with 1009', async () => {
  const station = await listening();
  const socket = await openTo(station);
  socket.send(Buffer.alloc(200_000, 0x61));
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1009);
  expect(station.transport.stats().oversized).toBe(1);
});
