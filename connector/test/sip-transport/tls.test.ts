import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect, createServer } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Certificate, makeCertificate } from './certificates.ts';
import { closed, eventually, ok, options, type StationOptions, startStation } from './station.ts';

let named: Certificate;
let addressed: Certificate;
let uriNamed: Certificate;

beforeAll(() => {
  named = makeCertificate(['DNS:sip.example.test', 'DNS:*.trunk.test']);
  addressed = makeCertificate(['IP:127.0.0.1', 'DNS:sni.example.test']);
  uriNamed = makeCertificate(['URI:sip:uri.example.test']);
});

const station = (tls: Certificate, ca = tls.ca, more: StationOptions = {}) =>
  startStation({ listen: ['tls'], tls: { key: tls.key, cert: tls.cert, ca }, ...more });

async function tcpPort(onSocket: () => void = () => undefined): Promise<number> {
  const server = createTcpServer(onSocket).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound ? bound.port : 0;
}

test('messages travel both ways over one verified connection', async () => {
  const server = await station(named);
  const client = await station(addressed, named.ca);
  const remote = { ...server.at('tls'), serverName: 'sip.example.test' };
  await client.transport.send(options('s1'), remote);
  const got = await server.next('s1');
  expect(got.remote).toMatchObject({ protocol: 'tls', address: '127.0.0.1' });
  await server.transport.send(ok(got.message), got.remote);
  await client.next('s1');
  await client.transport.send(options('s2'), remote);
  await server.next('s2');
  expect(client.transport.stats()).toMatchObject({ outbound: 1, sent: { tls: 2 } });
  expect(server.transport.stats()).toMatchObject({ inbound: 1, received: { tls: 2 } });
});

test.each([
  { name: 'a wildcard name', cert: () => named, serverName: 'a.trunk.test' },
  { name: 'the address', cert: () => addressed },
  { name: 'a sip URI', cert: () => uriNamed, serverName: 'uri.example.test' },
])('a certificate with $name is trusted', async ({ cert, serverName }) => {
  const server = await station(cert());
  const client = await station(addressed, cert().ca);
  await client.transport.send(options('v1'), {
    ...server.at('tls'),
    ...(serverName && { serverName }),
  });
  expect((await server.next('v1')).remote.protocol).toBe('tls');
});

test.each([
  { name: 'another name', ca: () => named.ca, serverName: 'other.test' },
  { name: 'a name where the address is asked for', ca: () => named.ca },
  { name: 'a strange authority', ca: () => uriNamed.ca, serverName: 'sip.example.test' },
])('a certificate with $name is refused', async ({ ca, serverName }) => {
  const server = await station(named);
  const client = await station(addressed, ca());
  const remote = { ...server.at('tls'), ...(serverName && { serverName }) };
  const sent = client.transport.send(options('v2'), remote);
  await expect(sent).rejects.toMatchObject({ code: 'TLS_FAILED' });
  await expect(sent).rejects.toThrow(/^no tls connection: [A-Z_]+$/);
  expect(server.received).toEqual([]);
});

test('a connection proven for one name is not used for another', async () => {
  const server = await station(named);
  const client = await station(addressed, named.ca);
  const send = (id: string, serverName: string) =>
    client.transport.send(options(id), { ...server.at('tls'), serverName });
  await send('n1', 'a.trunk.test');
  await send('n2', 'b.trunk.test');
  await send('n3', 'a.trunk.test');
  await Promise.all(['n1', 'n2', 'n3'].map((id) => server.next(id)));
  expect(client.transport.stats().outbound).toBe(2);
});

test('the name is sent as SNI, an address is not', async () => {
  const names: unknown[] = [];
  const server = createServer({ key: addressed.key, cert: addressed.cert }, (socket) => {
    names.push('servername' in socket && socket.servername);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const client = await station(named, addressed.ca);
  const remote = { protocol: 'tls', address: '127.0.0.1', port } as const;
  await client.transport.send(options('n4'), remote);
  await client.transport.send(options('n5'), { ...remote, serverName: 'sni.example.test' });
  await eventually(() => expect(names).toEqual([false, 'sni.example.test']));
});

test('TLS 1.1 is refused in both directions', async () => {
  const server = await station(named);
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  const socket = connect({ port: server.at('tls').port, host: '127.0.0.1', ca: named.ca, ...old });
  onTestFinished(() => void socket.destroy());
  await expect(once(socket, 'secureConnect')).rejects.toThrow(/protocol/);
  await eventually(() => expect(server.transport.stats().handshakesFailed).toBe(1));
  const oldServer = createServer({ key: named.key, cert: named.cert, ...old }).listen(
    0,
    '127.0.0.1',
  );
  onTestFinished(() => void oldServer.close());
  await once(oldServer, 'listening');
  const bound = oldServer.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  await expect(
    server.transport.send(options('o1'), {
      protocol: 'tls',
      address: '127.0.0.1',
      port,
      serverName: 'sip.example.test',
    }),
  ).rejects.toMatchObject({ code: 'TLS_FAILED' });
});

test('a handshake that does not go on is given up, and holds a place until then', async () => {
  const server = await station(named, named.ca, {
    limits: { handshakeTimeout: 150, maxConnectionsPerSource: 1 },
  });
  const { port } = server.at('tls');
  const silent = connectTcp(port, '127.0.0.1');
  await once(silent, 'connect');
  const second = connectTcp(port, '127.0.0.1');
  for (const socket of [silent, second]) socket.on('error', () => undefined).resume();
  await Promise.all([closed(silent), closed(second)]);
  expect(server.transport.stats()).toMatchObject({ handshakesFailed: 1, refused: 1, inbound: 0 });
  const client = await station(addressed, named.ca);
  await client.transport.send(options('h1'), {
    ...server.at('tls'),
    serverName: 'sip.example.test',
  });
  await server.next('h1');
});

test('plain SIP, garbage and resets on the TLS port do no harm', async () => {
  const server = await station(named);
  for (const bytes of [options('g1'), Buffer.from([0x16, 3, 1, 0xff, 0xff, 1]), Buffer.alloc(0)]) {
    const socket = connectTcp(server.at('tls').port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    socket.write(bytes);
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.resetAndDestroy();
  }
  const client = await station(addressed, named.ca);
  await client.transport.send(options('g2'), {
    ...server.at('tls'),
    serverName: 'sip.example.test',
  });
  await server.next('g2');
  expect(server.received).toHaveLength(1);
});

test('a TLS connection that is not made in time fails all who wait for it, once', async () => {
  const port = await tcpPort();
  const client = await station(addressed, addressed.ca, { limits: { connectTimeout: 100 } });
  const send = (id: string) =>
    client.transport.send(options(id), { protocol: 'tls', address: '127.0.0.1', port });
  const waiting = [send('c1'), send('c2')];
  for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
  expect(client.transport.stats().connectsFailed).toBe(1);
});

test('closing while a handshake and a connect are under way ends both', async () => {
  const port = await tcpPort();
  const server = await station(named, named.ca, { limits: { connectTimeout: 300 } });
  const silent = connectTcp(server.at('tls').port, '127.0.0.1');
  silent.on('error', () => undefined).resume();
  await once(silent, 'connect');
  const sent = server.transport.send(options('e1'), {
    protocol: 'tls',
    address: '127.0.0.1',
    port,
  });
  await Promise.all([
    expect(sent).rejects.toThrow(/closed|in time/),
    server.transport.close(),
    closed(silent),
  ]);
});

test('a tls listen point without a certificate is refused', async () => {
  await expect(startStation({ listen: ['tls'] })).rejects.toThrow(
    /tls 127.0.0.1:0 needs a certificate/,
  );
});
