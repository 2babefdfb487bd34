import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import type { NaptrRecord } from '../../src/sip/resolve/naptr.ts';
import { type Resolution, resolveUri } from '../../src/sip/resolve/resolve.ts';
import type { SrvRecord } from '../../src/sip/resolve/srv-order.ts';
import { type DnsServer, startDns } from './dns-server.ts';

const naptr = (order: number, service: string, replacement: string): NaptrRecord => ({
  order,
  preference: 10,
  flags: 's',
  service,
  regexp: '',
  replacement,
});

const srv = (port: number, priority = 1): SrvRecord => ({
  name: 'localhost',
  port,
  priority,
  weight: 0,
});

function resolve({ resolver }: DnsServer, text: string): Promise<Resolution> {
  const uri = parseSipUri(text);
  if (!uri) throw new Error(`${text} is no SIP URI`);
  return resolveUri(uri, {
    resolver,
    random: Math.random,
    clock: systemClock,
    timeout: 4_000,
    protocols: ['udp', 'tcp', 'tls'],
    families: [4],
  });
}

const at = (protocol: string, port: number) => ({ protocol, address: '127.0.0.1', port });

test('NAPTR says the transport and the name of its SRV records', async () => {
  const dns = await startDns({
    'NAPTR example.test': [
      naptr(20, 'SIP+D2U', '_sip._udp.example.test'),
      naptr(10, 'SIP+D2T', '_sip._tcp.far.test'),
    ],
    'SRV _sip._tcp.far.test': [srv(5082, 2), srv(5081, 1)],
    'SRV _sip._udp.example.test': [srv(5083)],
  });
  expect(await resolve(dns, 'sip:a@example.test')).toEqual({
    kind: 'targets',
    targets: [at('tcp', 5081), at('tcp', 5082)],
  });
  expect([...dns.asked]).toEqual(['NAPTR example.test', 'SRV _sip._tcp.far.test']);
});

test('a sips URI takes the secure record, and asks for its own name', async () => {
  const dns = await startDns({
    'NAPTR example.test': [
      naptr(10, 'SIP+D2T', '_sip._tcp.example.test'),
      naptr(20, 'SIPS+D2T', '_sips._tcp.far.test'),
    ],
    'SRV _sips._tcp.far.test': [srv(5061)],
  });
  expect(await resolve(dns, 'sips:a@example.test')).toEqual({
    kind: 'targets',
    targets: [{ ...at('tls', 5061), serverName: 'example.test' }],
  });
});

test.each(['SERVFAIL', 'silence', undefined] as const)(
  'without NAPTR (%s) SRV counts',
  async (answer) => {
    const dns = await startDns({
      ...(answer && { 'NAPTR example.test': answer }),
      'SRV _sip._udp.example.test': [srv(5084)],
    });
    const found = await resolve(dns, 'sip:a@example.test');
    expect(found).toEqual({ kind: 'targets', targets: [at('udp', 5084)] });
    expect(dns.asked).toContain('NAPTR example.test');
  },
);

test('SRV that is not known is told from SRV that is not there', async () => {
  const failing = await startDns({
    'SRV _sip._udp.nowhere.invalid': 'SERVFAIL',
    'SRV _sip._tcp.nowhere.invalid': 'SERVFAIL',
  });
  expect(await resolve(failing, 'sip:a@nowhere.invalid')).toMatchObject({ kind: 'failed' });
  const empty = await startDns({});
  expect(await resolve(empty, 'sip:a@nowhere.invalid')).toMatchObject({ kind: 'failed' });
});
