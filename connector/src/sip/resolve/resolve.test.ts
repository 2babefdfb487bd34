import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { parseSipUri } from '../message/uri.ts';
import type { Protocol } from '../transport/transport.ts';
import { type ResolveOptions, resolveUri } from './resolve.ts';
import type { Resolver } from './resolver.ts';
import type { SrvRecord } from './srv-order.ts';

const srv = (name: string, port: number, priority = 0): SrvRecord => ({
  name,
  port,
  priority,
  weight: 0,
});

const zone: Record<string, readonly string[]> = {
  'a.test/4': ['192.0.2.1', '192.0.2.2'],
  'a.test/6': ['2001:db8::1'],
  's1.test/4': ['192.0.2.11'],
  's2.test/4': ['192.0.2.12'],
  'srv.test/4': ['192.0.2.99'],
};

const services: Record<string, readonly SrvRecord[]> = {
  '_sip._udp.srv.test': [srv('s2.test', 5072, 2), srv('s1.test', 5071, 1), srv('gone.test', 1, 3)],
  '_sip._tcp.srv.test': [srv('s1.test', 5081)],
  '_sips._tcp.srv.test': [srv('s1.test', 5091)],
  '_sip._tcp.tcp-only.test': [srv('s2.test', 5082)],
  '_sip._udp.closed.test': [srv('.', 0)],
};

const asked: string[] = [];

const resolver: Resolver = {
  addresses: (name, family) => {
    asked.push(name);
    return Promise.resolve(zone[`${name}/${family}`] ?? []);
  },
  services: (query) => {
    asked.push(query);
    return Promise.resolve(services[query] ?? []);
  },
};

const options = (more: Partial<ResolveOptions> = {}): ResolveOptions => ({
  resolver,
  random: () => 0,
  clock: new FakeClock(),
  timeout: 1000,
  protocols: ['udp', 'tcp', 'tls'],
  families: [4],
  ...more,
});

async function resolve(
  text: string,
  more: Partial<ResolveOptions> = {},
): Promise<string[] | string> {
  const result = await resolveUri(parseSipUri(text)!, options(more));
  if (result.kind === 'failed') return result.code;
  return result.targets.map(({ protocol, address, port, serverName }) =>
    [protocol, address, port, serverName].filter((part) => part !== undefined).join(' '),
  );
}

test.each([
  ['sip:192.0.2.7', ['udp 192.0.2.7 5060']],
  ['sip:x@192.0.2.7:5080;transport=tcp', ['tcp 192.0.2.7 5080']],
  ['sips:192.0.2.7', ['tls 192.0.2.7 5061']],
  ['sip:192.0.2.7;transport=TLS', ['tls 192.0.2.7 5061']],
  ['sip:a.test;maddr=192.0.2.8', ['udp 192.0.2.8 5060']],
  ['sips:a.test;maddr=192.0.2.8', ['tls 192.0.2.8 5061 a.test']],
  ['sip:a.test:5060', ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060']],
  ['sip:a.test', ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060']],
  ['sip:a.test;transport=tcp', ['tcp 192.0.2.1 5060', 'tcp 192.0.2.2 5060']],
  ['sips:A.test', ['tls 192.0.2.1 5061 a.test', 'tls 192.0.2.2 5061 a.test']],
  ['sip:srv.test', ['udp 192.0.2.11 5071', 'udp 192.0.2.12 5072']],
  ['sip:srv.test:5060', ['udp 192.0.2.99 5060']],
  ['sip:srv.test;transport=tcp', ['tcp 192.0.2.11 5081']],
  ['sip:srv.test;transport=tls', ['tls 192.0.2.11 5091 srv.test']],
  ['sips:srv.test;transport=tcp', ['tls 192.0.2.11 5091 srv.test']],
  ['sip:tcp-only.test', ['tcp 192.0.2.12 5082']],
  ['sip:closed.test', 'NOT_FOUND'],
  ['sip:unknown.test', 'NOT_FOUND'],
  ['sip:a.test;transport=sctp', 'UNSUPPORTED'],
  ['sips:a.test;transport=udp', 'UNSUPPORTED'],
  ['sip:[2001:db8::1]', 'UNSUPPORTED'],
])('%s: %j', async (text, want) => {
  expect(await resolve(text)).toEqual(want);
});

test.each([
  { families: [4, 6], want: ['192.0.2.1', '192.0.2.2', '2001:db8::1'] },
  { families: [6, 4], want: ['2001:db8::1', '192.0.2.1', '192.0.2.2'] },
  { families: [6], want: ['2001:db8::1'] },
] as const)('families $families give $want', async ({ families, want }) => {
  const found = await resolve('sip:a.test:5060', { families });
  expect(found).toEqual(want.map((address) => `udp ${address} 5060`));
  expect(await resolve('sip:[2001:db8::5]', { families: [6] })).toEqual(['udp 2001:db8::5 5060']);
});

test.each([
  { protocols: ['tcp', 'udp'], want: ['tcp 192.0.2.11 5081'] },
  { protocols: ['tls'], want: 'UNSUPPORTED' },
  { protocols: ['tcp'], want: ['tcp 192.0.2.11 5081'] },
] satisfies { protocols: Protocol[]; want: unknown }[])(
  'with $protocols, sip:srv.test is $want',
  async ({ protocols, want }) => {
    expect(await resolve('sip:srv.test', { protocols })).toEqual(want);
  },
);

test.each([
  ['sip:192.0.2.7', []],
  ['sip:srv.test:5060', ['srv.test']],
  ['sip:srv.test;transport=tcp', ['_sip._tcp.srv.test', 's1.test']],
  ['sip:a.test', ['_sip._udp.a.test', '_sip._tcp.a.test', 'a.test']],
])('%s asks for %j', async (text, want) => {
  asked.length = 0;
  await resolve(text);
  expect(asked).toEqual(want);
});

const rejecting = () => Promise.reject(new Error('SERVFAIL'));
const never = () => new Promise<never>(() => undefined);

test('a failing SRV query does not keep the addresses from being used', async () => {
  const half = { ...resolver, services: rejecting };
  expect(await resolve('sip:a.test', { resolver: half })).toHaveLength(2);
});

test('failing queries are told from names that do not exist', async () => {
  const broken = { services: rejecting, addresses: rejecting };
  expect(await resolve('sip:a.test', { resolver: broken })).toBe('DNS_FAILED');
});

test('a resolver that throws, or does not answer, ends as a value, and leaves no timer', async () => {
  const thrower: Resolver = {
    ...resolver,
    services: () => {
      throw new Error('fault');
    },
  };
  expect(await resolve('sip:a.test', { resolver: thrower })).toBe('DNS_FAILED');
  const clock = new FakeClock();
  const slow = resolve('sip:a.test', { clock, resolver: { ...resolver, services: never } });
  await clock.advanceAsync(1000);
  expect(await slow).toBe('TIMEOUT');
  expect(clock.pending).toBe(0);
});

test('no more than 16 servers are tried', async () => {
  const many = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`);
  const flood = { ...resolver, addresses: () => Promise.resolve(many) };
  expect(await resolve('sip:a.test:5060', { resolver: flood })).toHaveLength(16);
});
