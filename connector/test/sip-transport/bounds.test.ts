import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { closed, eventually, options, type Station, startStation } from './station.ts';

function dial(station: Station): Socket {
  const socket = connect(station.at('tcp').port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  return socket;
}

test('a connection without a first message is closed', async () => {
  const station = await startStation({ limits: { messageTimeout: 60 } });
  const socket = dial(station);
  socket.resume();
  await closed(socket);
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ closed: { slow: 1 }, inbound: 0 }),
  );
});

test('a message that drips in is given up, though bytes keep coming', async () => {
  const station = await startStation({ limits: { messageTimeout: 150 } });
  const socket = dial(station);
  socket.resume();
  socket.write(options('b1'));
  await station.next('b1');
  const drip = setInterval(() => socket.write('x'), 10);
  onTestFinished(() => clearInterval(drip));
  const started = performance.now();
  await closed(socket);
  expect(performance.now() - started).toBeLessThan(2000);
  await eventually(() => expect(station.transport.stats().closed.slow).toBe(1));
});

test('a peer that sends one message after the other, each in parts, is not slow', async () => {
  const station = await startStation({ limits: { messageTimeout: 500 } });
  const socket = dial(station);
  const half = options('x').length / 2;
  for (let round = 0; round < 80; round++) {
    // Each write ends in the middle of a message, so that one is always incomplete.
    const message = options('x');
    socket.write(
      round === 0
        ? message.subarray(0, half)
        : Buffer.concat([message.subarray(half), message.subarray(0, half)]),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await eventually(() => expect(station.received.length).toBe(79));
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ inbound: 1, closed: { slow: 0 } }),
  );
});

test('an idle connection is closed, pings keep an inbound one', async () => {
  const station = await startStation({ limits: { idleTimeout: 500 } });
  const [idle, pinging] = [dial(station), dial(station)];
  for (const socket of [idle, pinging]) socket.resume().write(options('i'));
  const pings = setInterval(() => pinging.write('\r\n\r\n'), 80);
  onTestFinished(() => clearInterval(pings));
  await closed(idle);
  await eventually(() => expect(station.transport.stats().keepalives).toBeGreaterThan(8));
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ inbound: 1, closed: { idle: 1 } }),
  );
});

test('connections beyond the limit of a source are refused, and places become free', async () => {
  const station = await startStation({ limits: { maxConnectionsPerSource: 2 } });
  const sockets = [dial(station), dial(station)];
  await eventually(() => expect(station.transport.stats().inbound).toBe(2));
  const third = dial(station);
  third.resume();
  await closed(third);
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ refused: 1, inbound: 2 }),
  );
  sockets[0]?.destroy();
  await eventually(() => expect(station.transport.stats().inbound).toBe(1));
  dial(station).write(options('l1'));
  await station.next('l1');
});

test('the limit over all sources counts as well', async () => {
  const station = await startStation({ limits: { maxConnections: 1 } });
  dial(station);
  await eventually(() => expect(station.transport.stats().inbound).toBe(1));
  const other = connect({
    port: station.at('tcp').port,
    host: '127.0.0.1',
    localAddress: '127.0.0.2',
  });
  onTestFinished(() => void other.destroy());
  other.on('error', () => undefined).resume();
  await closed(other);
  expect(station.transport.stats().refused).toBe(1);
});

test('a message without Content-Length is answered, then the connection closed', async () => {
  const station = await startStation();
  const socket = dial(station);
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  socket.write(
    options('m1')
      .toString()
      .replace(/Content-Length.*\r\n/, ''),
  );
  await closed(socket);
  expect(text).toMatch(/^SIP\/2.0 400 Bad Request \(no Content-Length\)\r\n/);
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ malformed: 1, closed: { malformed: 1 } }),
  );
});

test('a malformed message with sound framing is answered, and the connection goes on', async () => {
  const station = await startStation();
  const socket = dial(station);
  socket.write(options('m2').toString().replace('OPTIONS sip', 'INFO sip'));
  socket.write(options('m3'));
  await station.next('m3');
  expect(station.malformed).toHaveLength(1);
  expect(station.transport.stats().inbound).toBe(1);
});

test('a peer that does not read is dropped when the buffers are full', async () => {
  const station = await startStation({ limits: { sendTimeout: 200 } });
  const socket = dial(station);
  socket.write(options('w1'));
  const { remote } = await station.next('w1');
  socket.pause();
  const big = options('w2', 'x'.repeat(60_000));
  const results = await Promise.allSettled(
    Array.from({ length: 400 }, () => station.transport.send(big, remote)),
  );
  expect(results.some((each) => each.status === 'rejected')).toBe(true);
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ inbound: 0, closed: { stuck: 1 } }),
  );
});

test('closing the transport sends what was written and ends every connection', async () => {
  const station = await startStation();
  const socket = dial(station);
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  socket.write(options('z1'));
  const { remote } = await station.next('z1');
  const sent = station.transport.send(options('z2', 'x'.repeat(50_000)), remote);
  await Promise.all([station.transport.close(), sent, closed(socket)]);
  expect(text.length).toBeGreaterThan(50_000);
  await eventually(() =>
    expect(station.transport.stats()).toMatchObject({ inbound: 0, closed: { local: 1 } }),
  );
});
