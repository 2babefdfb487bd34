import { expect, test } from 'vitest';
import { cidr, quantity, secretKeyRef, url } from './schema-parts.ts';

test.each([
  ['198.51.100.0/24', true],
  ['198.51.100.7/32', true],
  ['0.0.0.0/0', true],
  ['2001:db8::/32', true],
  ['::/0', true],
  ['198.51.100.7', false],
  ['198.51.100.0/33', false],
  ['198.51.100.0/08', false],
  ['198.51.100.01/24', false],
  ['2001:db8::/129', false],
  ['fe80::1%eth0/64', false],
  ['::ffff:198.51.100.0/120', false],
  ['example.com/24', false],
  ['', false],
])('%s is an address range: %s', (text, want) => {
  expect(cidr.safeParse(text).success).toBe(want);
});

test.each([
  ['100m', true],
  ['1.5Gi', true],
  ['2', true],
  [2, true],
  ['1e3', true],
  [-1, false],
  ['-1', false],
  ['1 Gi', false],
  ['1gb', false],
  [1.5, false],
])('%s is a quantity: %s', (value, want) => {
  expect(quantity.safeParse(value).success).toBe(want);
});

test.each([
  ['https://example.com', true],
  ['http://example.com:8080/a?b=c', true],
  ['https://[2001:db8::1]/a', true],
  ['https://example.com/a b', false],
  ['https://user@example.com/', false],
  ['ftp://example.com/', false],
  ['example.com', false],
])('%s is a URL of HTTP: %s', (text, want) => {
  expect(url('https?').safeParse(text).success).toBe(want);
});

test.each([
  [{ name: 'a', key: '..' }, false],
  [{ name: 'a', key: 'a/b' }, false],
  [{ name: '../a', key: 'b' }, false],
  [{ name: 'a.b', key: 'A_b-c.d' }, true],
])('%j names a file that stays in its folder: %s', (ref, want) => {
  expect(secretKeyRef.safeParse(ref).success).toBe(want);
});
