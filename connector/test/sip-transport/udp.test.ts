import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { headers } from '../../src/sip/message/headers.ts';
import { startTransport } from '../../src/sip/transport/start-transport.ts';
import type { Protocol } from '../../src/sip/transport/transport.ts';
import { defaultTransportLimits } from '../../src/sip/transport/transport-limits.ts';
import { eventually, ok, options, startStation } from './station.ts';

test('a request arrives with its source, and the response goes back there', async () => {
  const [a, b] = [await startStation(), await startStation()];
  await a.transport.send(options('u1', 'body'), b.at('udp'));
  const got = await b.next('u1');
  const { port } = a.at('udp');
  expect(got).toMatchObject({
    remote: { protocol: 'udp', address: '127.0.0.1', port },
    local: { protocol: 'udp', port: b.at('udp').port },
    sizeBytes: options('u1', 'body').length,
  });
  expect(headers(got.message, 'via')).toEqual([
    `SIP/2.0/TCP a.test;branch=z9hG4bKx;received=127.0.0.1;rport=${port}`,
  ]);
  await b.transport.send(ok(got.message), got.remote);
  expect((await a.next('u1')).message).toMatchObject({ kind: 'response', status: 200 });
  expect(a.transport.stats()).toMatchObject({ sent: { udp: 1 }, received: { udp: 1 } });
});

test('IPv6 works like IPv4', async () => {
  const [a, b] = [await startStation({ address: '::1' }), await startStation({ address: '::1' })];
  await a.transport.send(options('u6'), b.at('udp'));
  const got = await b.next('u6');
  expect(got.remote.address).toBe('::1');
  expect(headers(got.message, 'via')[0]).toMatch(/;received=::1;rport=\d+$/);
  await a.transport.send(options('t6'), b.at('tcp'));
  expect((await b.next('t6')).remote.address).toBe('::1');
});

test('malformed, too large and empty datagrams are counted, and the next message is read', async () => {
  const station = await startStation({ listen: ['udp'], limits: { datagramBytes: 1000 } });
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const answers: string[] = [];
  socket.on('message', (bytes) => answers.push(bytes.toString()));
  const bytes = [
    Buffer.from('junk'),
    Buffer.from('\r\n\r\n'),
    Buffer.alloc(0),
    Buffer.alloc(1001, 'x'),
    Buffer.from(options('u2').toString().replace('OPTIONS sip', 'INVITE sip')),
    options('u3'),
  ];
  for (const each of bytes) socket.send(each, station.at('udp').port, '127.0.0.1');
  await station.next('u3');
  await eventually(() => expect(answers).toHaveLength(1));
  expect(answers[0]).toMatch(/^SIP\/2.0 400 Bad Request \(CSeq of another method\)/);
  expect(station.transport.stats()).toMatchObject({ malformed: 2, oversized: 1, keepalives: 2 });
  expect(station.received).toHaveLength(1);
  socket.close();
});

test('what cannot be sent is refused', async () => {
  const station = await startStation({ listen: ['udp'] });
  const send = (remote: { protocol: Protocol; address: string; port: number }) =>
    station.transport.send(options('u4'), remote);
  const { port } = station.at('udp');
  await expect(send({ protocol: 'udp', address: 'localhost', port })).rejects.toMatchObject({
    code: 'NOT_AN_ADDRESS',
  });
  await expect(send({ protocol: 'tcp', address: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'NO_LISTEN_POINT',
  });
  await expect(send({ protocol: 'udp', address: '::1', port })).rejects.toMatchObject({
    code: 'NO_LISTEN_POINT',
  });
  await expect(
    station.transport.send(Buffer.alloc(70_000), { protocol: 'udp', address: '127.0.0.1', port }),
  ).rejects.toMatchObject({ code: 'SEND_FAILED' });
});

test.each(['udp', 'tcp'] as const)(
  'a %s port in use is named, and what was bound before is free again',
  async (protocol) => {
    const taken = await startStation();
    const free = await startStation();
    const freed = free.at(protocol);
    await free.transport.close();
    const start = (ports: number[]) =>
      startTransport({
        listen: ports.map((port) => ({ protocol, address: '127.0.0.1', port })),
        limits: defaultTransportLimits,
        clock: systemClock,
        log: silentLog,
        user: { onMessage: () => undefined },
      });
    const { port } = taken.at(protocol);
    await expect(start([freed.port, port])).rejects.toThrow(
      `cannot listen on ${protocol} 127.0.0.1:${port}: EADDRINUSE`,
    );
    const again = await start([freed.port]);
    await again.close();
  },
);

test('the external host of a listen point is kept, the port is the bound one', async () => {
  const transport = await startTransport({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0, externalHost: 'sip.example.com' }],
    limits: defaultTransportLimits,
    clock: systemClock,
    log: silentLog,
    user: { onMessage: () => undefined },
  });
  const remote = { protocol: 'udp', address: '127.0.0.9', port: 5060 } as const;
  expect(transport.localFor(remote)).toEqual(transport.listenPoints[0]);
  expect(transport.listenPoints[0]).toMatchObject({ externalHost: 'sip.example.com' });
  expect(transport.listenPoints[0]?.port).toBeGreaterThan(0);
  await transport.close();
});

test('closing twice is closing once, and nothing is sent after it', async () => {
  const station = await startStation();
  await Promise.all([station.transport.close(), station.transport.close()]);
  await station.transport.close();
  await expect(station.transport.send(options('u5'), station.at('udp'))).rejects.toMatchObject({
    code: 'CLOSED',
  });
});
