import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, ok, options, type Station, startStation } from './station.ts';

async function dial(station: Station): Promise<Socket> {
  const socket = connect(station.at('tcp').port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function collect(socket: Socket): { text: string } {
  const got = { text: '' };
  socket.on('data', (bytes: Buffer) => {
    got.text += bytes.toString();
  });
  return got;
}

test('the response travels on the connection of the request, and later requests as well', async () => {
  const [a, b] = [await startStation(), await startStation()];
  await a.transport.send(options('t1'), b.at('tcp'));
  const got = await b.next('t1');
  expect(got.remote.connection).toBeDefined();
  await b.transport.send(ok(got.message), got.remote);
  const answer = await a.next('t1');
  expect(answer.remote).toMatchObject({ address: '127.0.0.1', port: b.at('tcp').port });
  await b.transport.send(options('t2'), got.remote);
  await a.transport.send(options('t3'), b.at('tcp'));
  await Promise.all([a.next('t2'), b.next('t3')]);
  // The address alone finds the connection, too.
  const { protocol, address, port } = got.remote;
  await b.transport.send(options('t4'), { protocol, address, port });
  await a.next('t4');
  expect(a.transport.stats()).toMatchObject({ outbound: 1, inbound: 0, sent: { tcp: 2 } });
  expect(b.transport.stats()).toMatchObject({ outbound: 0, inbound: 1, sent: { tcp: 3 } });
});

test('many messages to a new peer share one connection, in order', async () => {
  const [a, b] = [await startStation(), await startStation()];
  const ids = Array.from({ length: 50 }, (_, index) => `many-${index}`);
  await Promise.all(ids.map((id) => a.transport.send(options(id), b.at('tcp'))));
  await b.next('many-49');
  expect(b.received.map(({ message }) => message.headers[3]?.value)).toEqual(ids);
  expect(a.transport.stats().outbound).toBe(1);
});

test('frames that are split and merged are put together', async () => {
  const station = await startStation();
  const socket = await dial(station);
  socket.setNoDelay(true);
  const all = Buffer.concat([options('s1', 'one'), options('s2'), options('s3', 'three')]);
  const cuts = [10, 300, 301, 600];
  for (const [index, end] of [...cuts, all.length].entries()) {
    socket.write(all.subarray(cuts[index - 1] ?? 0, end));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await station.next('s3');
  expect(station.received.map(({ message }) => message.body.toString())).toEqual([
    'one',
    '',
    'three',
  ]);
});

test('a ping is answered by a pong, between messages, and counted', async () => {
  const station = await startStation();
  const socket = await dial(station);
  const got = collect(socket);
  socket.write(Buffer.concat([Buffer.from('\r\n\r\n'), options('k1'), Buffer.from('\r\n\r\n')]));
  await station.next('k1');
  await eventually(() => expect(got.text).toBe('\r\n\r\n'));
  expect(station.transport.stats().keepalives).toBe(2);
});

test('outbound connections are kept alive by pings; a peer that stops answering is dropped', async () => {
  const pings: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      if (bytes.toString() !== '\r\n\r\n') return;
      pings.push('ping');
      if (pings.length <= 2) socket.write('\r\n');
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const station = await startStation({ limits: { pingInterval: 300, pongTimeout: 250 } });
  await station.transport.send(options('p1'), { protocol: 'tcp', address: '127.0.0.1', port });
  await eventually(() => expect(station.transport.stats().closed.silent).toBe(1));
  expect(pings).toHaveLength(3);
  expect(station.transport.stats().keepalives).toBe(2);
});

test('peers that know no pong are pinged on, and kept', async () => {
  const [a, b] = [
    await startStation({ limits: { pingInterval: 20, pongTimeout: 10 } }),
    await startStation(),
  ];
  await a.transport.send(options('p2'), b.at('tcp'));
  await eventually(() => expect(b.transport.stats().keepalives).toBeGreaterThan(4));
  expect(a.transport.stats()).toMatchObject({ outbound: 1, closed: { silent: 0 } });
});

test('after the peer closed, the next message opens a new connection', async () => {
  const [a, b] = [await startStation(), await startStation()];
  await a.transport.send(options('r1'), b.at('tcp'));
  const { port } = b.at('tcp');
  await b.next('r1');
  await b.transport.close();
  await eventually(() => expect(a.transport.stats().outbound).toBe(0));
  const refused = a.transport.send(options('r2'), { protocol: 'tcp', address: '127.0.0.1', port });
  await expect(refused).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: 'no tcp connection: ECONNREFUSED',
  });
  const c = await startStation();
  await a.transport.send(options('r3'), c.at('tcp'));
  await c.next('r3');
  expect(a.transport.stats()).toMatchObject({ connectsFailed: 1, closed: { peer: 1 } });
});
