import { expect, test } from 'vitest';
import { chooseListenPoint, nameOf, withShownHost } from './listen-point.ts';
import type { ListenPoint, Protocol } from './transport.ts';

const point = (address: string, protocol: Protocol = 'udp'): ListenPoint => ({
  protocol,
  address,
  port: 5060,
});

test.each([
  { to: '192.0.2.9', from: ['192.0.2.1'], want: '192.0.2.1' },
  { to: '192.0.2.9', from: ['::', '2001:db8::1'], want: undefined },
  { to: '2001:db8::9', from: ['192.0.2.1', '2001:db8::1'], want: '2001:db8::1' },
  { to: '10.1.2.3', from: ['192.0.2.1', '10.1.9.9', '10.1.2.200'], want: '10.1.2.200' },
  { to: '10.1.2.3', from: ['127.0.0.1', '192.0.2.1'], want: '192.0.2.1' },
  { to: '127.0.0.1', from: ['192.0.2.1', '127.0.0.2'], want: '127.0.0.2' },
  { to: '192.0.2.9', from: ['127.0.0.1'], want: '127.0.0.1' },
  { to: '192.0.2.9', from: ['127.0.0.1', '0.0.0.0'], want: '0.0.0.0' },
  {
    to: 'fd00:1::9',
    from: ['2001:db8::1', 'fd00:1:0:0:0:0:0:1', 'fd00:2::1'],
    want: 'fd00:1:0:0:0:0:0:1',
  },
  { to: '::1', from: ['2001:db8::1', '::1'], want: '::1' },
  { to: 'example.com', from: ['0.0.0.0'], want: undefined },
])('to $to from $from goes $want', ({ to, from, want }) => {
  const points = from.map((address) => point(address));
  expect(chooseListenPoint(points, { protocol: 'udp', address: to })?.address).toBe(want);
});

test('only listen points of the protocol count', () => {
  const points = [point('10.0.0.1', 'udp'), point('10.0.0.1', 'tls')];
  expect(chooseListenPoint(points, { protocol: 'tls', address: '10.0.0.2' })).toBe(points[1]);
  expect(chooseListenPoint(points, { protocol: 'tcp', address: '10.0.0.2' })).toBeUndefined();
});

test('names are readable, IPv6 in brackets', () => {
  expect([nameOf(point('10.0.0.1')), nameOf(point('::1', 'tls'))]).toEqual([
    'udp 10.0.0.1:5060',
    'tls [::1]:5060',
  ]);
});

test.each([
  ['203.0.113.9', '10.0.0.1', '203.0.113.9'],
  ['203.0.113.9', '2001:db8::1', undefined],
  ['203.0.113.9', '::', '2001:db8::5'],
  ['[2001:db8::9]', '::1', '[2001:db8::9]'],
  ['2001:db8::9', '0.0.0.0', '192.0.2.5'],
  ['sip.example.test', '::', 'sip.example.test'],
  [undefined, '0.0.0.0', '192.0.2.5'],
  [undefined, '10.0.0.1', undefined],
])('of %s, who listens on %s shows %s', (externalHost, address, want) => {
  const bound = { protocol: 'udp', address, port: 5060 } as const;
  const given = externalHost === undefined ? bound : { ...bound, externalHost };
  const shown = withShownHost(given, ['192.0.2.5', '192.0.2.6', '2001:db8::5']);
  expect(shown.externalHost).toBe(want);
});

test('a machine without addresses shows its loopback', () => {
  expect(withShownHost(point('::'), ['192.0.2.5']).externalHost).toBe('::1');
});
