import { beforeAll, expect, test } from 'vitest';
import { type Certificate, makeCertificate } from './certificates.ts';
import { eventually, ok, options, type Station, startStation } from './station.ts';

let server: Certificate;
let next: Certificate;
let client: Certificate;

beforeAll(() => {
  server = makeCertificate(['DNS:sip.example.test']);
  next = makeCertificate(['DNS:sip.example.test']);
  client = makeCertificate(['DNS:sbc.example.test', 'URI:sip:sbc.example.test']);
});

const demanding = (isNeeded: boolean) =>
  startStation({
    listen: ['tls'],
    tls: {
      key: server.key,
      cert: server.cert,
      clientCa: client.ca,
      requiresClientCertificate: isNeeded,
    },
  });

const caller = (identity?: Certificate, serverName = 'sip.example.test') =>
  startStation({
    listen: ['tls'],
    tls: { key: next.key, cert: next.cert },
    tlsPeers: [
      { hosts: ['*.trunk.test'], ca: server.ca, serverName, ...(identity && { identity }) },
    ],
  });

test('a peer has its own certificate, authority and name, and is known by what it proves', async () => {
  const called = await demanding(true);
  const calling = await caller(client);
  const remote = { ...called.at('tls'), serverName: 'a.trunk.test' };
  await calling.transport.send(options('p1'), remote);
  const { remote: from } = await called.next('p1');
  expect(from.peerNames).toEqual(['sbc.example.test', 'sip:sbc.example.test']);
});

const refusedBy = ({ transport }: Station) =>
  eventually(() => {
    const { untrusted, 'self-signed': selfSigned } = transport.stats().certificatesRefused;
    expect(untrusted + selfSigned).toBe(1);
  });

test('a strange client certificate is refused where one is needed', async () => {
  const called = await demanding(true);
  const remote = { ...called.at('tls'), serverName: 'a.trunk.test' };
  const sent = (await caller()).transport.send(options('p2'), remote);
  await Promise.allSettled([sent]);
  await refusedBy(called);
  expect(called.received).toEqual([]);
});

test('where none is needed, a strange one names nobody', async () => {
  const called = await demanding(false);
  const remote = { ...called.at('tls'), serverName: 'a.trunk.test' };
  await (await caller()).transport.send(options('p4'), remote);
  expect((await called.next('p4')).remote.peerNames).toBeUndefined();
  await refusedBy(called);
});

test('a server of another name is refused, and counted as that', async () => {
  const called = await demanding(false);
  const calling = await caller(client, 'other.test');
  const remote = { ...called.at('tls'), serverName: 'a.trunk.test' };
  await expect(calling.transport.send(options('p3'), remote)).rejects.toMatchObject({
    code: 'TLS_FAILED',
  });
  expect(calling.transport.stats().certificatesRefused['wrong-name']).toBe(1);
});

test('a replaced certificate is shown at once; the old connection ends after its transaction', async () => {
  const called = await startStation({ listen: ['tls'], tls: server });
  const calling = await startStation({
    listen: ['tls'],
    tls: { ...client, ca: server.ca + next.ca },
  });
  const remote = { ...called.at('tls'), serverName: 'sip.example.test' };
  await calling.transport.send(options('r1'), remote);
  const open = await called.next('r1');
  const profiles = { own: { ...client, ca: next.ca }, peers: [] };
  called.transport.useTls({ own: next, peers: [] });
  calling.transport.useTls(profiles);
  await calling.transport.send(options('r2'), remote);
  expect((await called.next('r2')).remote.connection).not.toBe(open.remote.connection);
  await called.transport.send(ok(open.message), open.remote);
  await calling.next('r1');
  await eventually(() => expect(called.transport.stats().inbound).toBe(1));
  expect(
    called.transport.stats().closed.retired + calling.transport.stats().closed.retired,
  ).toBeGreaterThan(0);
});
