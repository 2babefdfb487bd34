import { expect, test } from 'vitest';
import { AddressRanges, parseRange } from './address-ranges.ts';

test.each([
  { text: '198.51.100.0/24', want: { address: '198.51.100.0', prefix: 24 } },
  { text: '198.51.100.7', want: { address: '198.51.100.7', prefix: 32 } },
  { text: '0.0.0.0/0', want: { address: '0.0.0.0', prefix: 0 } },
  { text: '2001:db8::/32', want: { address: '2001:db8::', prefix: 32 } },
  { text: '::1', want: { address: '::1', prefix: 128 } },
  { text: '198.51.100.0/33', want: undefined },
  { text: '2001:db8::/129', want: undefined },
  { text: '198.51.100/24', want: undefined },
  { text: 'example.com', want: undefined },
  { text: '198.51.100.0/', want: undefined },
  { text: '', want: undefined },
])('"$text" is read as $want', ({ text, want }) => {
  expect(parseRange(text)).toEqual(want);
});

const ranges = ['198.51.100.7/24', '203.0.113.9', '2001:db8::/32'];

test.each([
  { address: '198.51.100.255', want: true },
  { address: '198.51.101.0', want: false },
  { address: '203.0.113.9', want: true },
  { address: '203.0.113.8', want: false },
  { address: '2001:DB8:1::1', want: true },
  { address: '2001:db9::1', want: false },
  { address: '2001:db8::1%eth0', want: true },
  { address: '::ffff:203.0.113.9', want: true },
  { address: 'sip.example.com', want: false },
])('$address is in the ranges: $want', ({ address, want }) => {
  expect(new AddressRanges(ranges).has(address)).toBe(want);
});

test('all of one family is nothing of the other', () => {
  const [all4, all6] = [new AddressRanges(['0.0.0.0/0']), new AddressRanges(['::/0'])];
  expect([all4.has('192.0.2.1'), all4.has('2001:db8::1')]).toEqual([true, false]);
  expect([all6.has('192.0.2.1'), all6.has('2001:db8::1')]).toEqual([false, true]);
});

test('no ranges hold nobody', () => {
  expect(new AddressRanges([]).has('192.0.2.1')).toBe(false);
});
