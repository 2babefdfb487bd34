import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { resolveUri } from '../../src/sip/resolve/resolve.ts';
import type { CertificateFault } from '../../src/sip/transport/certificate-fault.ts';
import { type Certificate, type CertificateOptions, makeCertificate } from './certificates.ts';
import { startDns } from './dns-server.ts';
import { closed, eventually, options, type Station, startStation } from './station.ts';
import { sendMessage, startDesk } from './user-agent.ts';

const name = 'sip.example.test';
const own = makeCertificate(['DNS:own.test']);

const faults: readonly (CertificateOptions & { fault: CertificateFault })[] = [
  { fault: 'expired', isExpired: true },
  { fault: 'self-signed', isSelfSigned: true },
  { fault: 'wrong-purpose', usage: 'clientAuth' },
];

const refusedBy = ({ transport }: Pick<Station, 'transport'>) =>
  Object.entries(transport.stats().certificatesRefused).filter(([, count]) => count > 0);

test.each(faults)(
  'a server whose certificate is $fault is not spoken to',
  async ({ fault, ...how }) => {
    const bad = makeCertificate([`DNS:${name}`], how);
    const server = await startStation({ listen: ['tls'], tls: bad });
    const client = await startStation({ listen: ['tls'], tls: { ...own, ca: bad.ca } });
    const sent = client.transport.send(options('f1'), { ...server.at('tls'), serverName: name });
    await expect(sent).rejects.toMatchObject({ code: 'TLS_FAILED' });
    expect(refusedBy(client)).toEqual([[fault, 1]]);
    expect(server.received).toEqual([]);
  },
);

const srv = (station: Station, priority: number) => ({
  name: 'localhost',
  port: station.at('tls').port,
  priority,
  weight: 0,
});

test.each(faults)('and the next SRV target is tried: $fault', async ({ fault, ...how }) => {
  const [bad, good] = [makeCertificate([`DNS:${name}`], how), makeCertificate([`DNS:${name}`])];
  const first = await startStation({ listen: ['tls'], tls: bad });
  const second = await startStation({ listen: ['tls'], tls: good });
  const { resolver } = await startDns({
    [`SRV _sips._tcp.${name}`]: [srv(first, 1), srv(second, 2)],
  });
  const desk = await startDesk({
    listen: ['tls'],
    tls: { ...own, ca: bad.ca + good.ca },
    resolve: (uri) =>
      resolveUri(uri, {
        resolver,
        random: Math.random,
        clock: systemClock,
        timeout: 4_000,
        protocols: ['tls'],
        families: [4],
      }),
  });
  await sendMessage(desk, `sips:a@${name}`);
  await eventually(() => expect(second.received).toHaveLength(1));
  expect(first.received).toEqual([]);
  expect(refusedBy(desk)).toEqual([[fault, 1]]);
});

/** What becomes of a client with a certificate, where one is needed. */
async function comes(client: Certificate, clientCa: string): Promise<[string, number][]> {
  const server = await startStation({
    listen: ['tls'],
    tls: { ...own, clientCa, requiresClientCertificate: true },
  });
  const { key, cert, intermediate = '' } = client;
  const { port } = server.at('tls');
  const identity = { key, cert: cert + intermediate };
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...identity });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined).resume();
  await once(socket, 'secureConnect');
  socket.write(options('f2'));
  await Promise.race([server.next('f2'), closed(socket)]);
  const refused = refusedBy(server);
  expect(server.received).toHaveLength(refused.length === 0 ? 1 : 0);
  return refused;
}

const names = ['DNS:client.test'];

test.each<CertificateOptions & { want: CertificateFault | undefined }>([
  { want: undefined, usage: 'clientAuth' },
  { want: undefined, usage: 'clientAuth', hasIntermediate: true },
  { want: 'expired', isExpired: true },
  { want: 'self-signed', isSelfSigned: true },
  // A server that connects to us; its issuer is the authority.
  { want: undefined, usage: 'serverAuth' },
  { want: 'expired', usage: 'serverAuth', isExpired: true },
  { want: 'wrong-purpose', usage: 'serverAuth', isSelfSigned: true },
  // The authority's word on the one between is not asked for a second time.
  { want: 'wrong-purpose', usage: 'serverAuth', hasIntermediate: true },
])('a client certificate: %o', async ({ want, ...how }) => {
  const client = makeCertificate(names, how);
  expect(await comes(client, client.ca)).toEqual(want ? [[want, 1]] : []);
});

test('a server-only certificate of a listed intermediate is good, of a stranger it is not', async () => {
  const client = makeCertificate(names, { usage: 'serverAuth', hasIntermediate: true });
  const { ca } = makeCertificate(names);
  expect(await comes(client, `${client.ca}${client.intermediate}`)).toEqual([]);
  const [[fault] = []] = await comes(client, ca);
  expect(['wrong-purpose', 'untrusted']).toContain(fault);
});
