import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { parseSipUri } from '../message/uri.ts';
import type { Protocol } from '../transport/transport.ts';
import type { NaptrRecord } from './naptr.ts';
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

const naptr = (service: string, replacement: string, [order, preference] = [10, 10]) => ({
  order: order ?? 10,
  preference: preference ?? 10,
  flags: 's',
  service,
  regexp: '',
  replacement,
});

const pointers: Record<string, readonly NaptrRecord[]> = {
  'naptr.test': [
    naptr('SIP+D2U', '_sip._udp.srv.test', [20, 10]),
    naptr('SIP+D2T', '_sip._tcp.srv.test', [10, 20]),
    naptr('SIPS+D2T', '_sips._tcp.srv.test.', [10, 10]),
  ],
  'dead.test': [naptr('SIP+D2T', '_sip._tcp.gone.test')],
  'other.test': [
    naptr('E2U+sip', '_sip._udp.srv.test'),
    { ...naptr('SIP+D2U', '_sip._udp.srv.test'), flags: 'a' },
    { ...naptr('SIP+D2U', '_sip._udp.srv.test'), regexp: '!x!y!' },
  ],
};

const asked: string[] = [];

const resolver: Resolver = {
  addresses: (name, family) => {
    asked.push(name);
    return Promise.resolve(zone[`${name}/${family}`] ?? []);
  },
  pointers: (name) => Promise.resolve(pointers[name] ?? []),
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
  const broken = {
    pointers: () => Promise.reject(new Error('no server')),
    services: rejecting,
    addresses: rejecting,
  };
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

const atTcp = ['tcp 192.0.2.11 5081'];
const atTls = ['tls 192.0.2.11 5091 naptr.test'];
const atUdp = ['udp 192.0.2.11 5071', 'udp 192.0.2.12 5072'];

test.each([
  { name: 'order, then preference', uri: 'sip:naptr.test', want: atTls },
  { name: 'what can be sent', uri: 'sip:naptr.test', protocols: ['udp', 'tcp'], want: atTcp },
  { name: 'what is left', uri: 'sip:naptr.test', protocols: ['udp'], want: atUdp },
  { name: 'only secure ones for sips', uri: 'sips:naptr.test', want: atTls },
] as const)('NAPTR chooses the transport by $name', async ({ uri, want, ...more }) => {
  expect(await resolve(uri, more)).toEqual(want);
});

test.each([
  ['a transport', 'sip:naptr.test;transport=udp'],
  ['a port', 'sip:naptr.test:5060'],
])('NAPTR is not asked for where the URI has %s', async (_, uri) => {
  expect(await resolve(uri)).toEqual('NOT_FOUND');
});

test.each(['sip:dead.test', 'sip:other.test'])('%s falls through to what SRV says', async (uri) => {
  expect(await resolve(uri)).toEqual('NOT_FOUND');
});

test.each([
  ['sip:192.0.2.7;transport=ws', ['ws', 'wss'], ['ws 192.0.2.7 80']],
  ['sip:192.0.2.7;transport=ws', ['wss'], ['wss 192.0.2.7 443']],
  ['sips:192.0.2.7;transport=ws', ['ws', 'wss'], ['wss 192.0.2.7 443']],
  ['sip:192.0.2.7;transport=ws', ['udp'], 'UNSUPPORTED'],
] as const)('%s with %j is %j', async (uri, protocols, want) => {
  expect(await resolve(uri, { protocols })).toEqual(want);
});
