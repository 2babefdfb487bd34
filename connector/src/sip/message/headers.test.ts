import { expect, test } from 'vitest';
import {
  hasToken,
  header,
  headers,
  withHeader,
  withHeaderFirst,
  withHeaderLast,
  withoutHeader,
  withTopValue,
} from './headers.ts';
import type { Header } from './message.ts';

const of = (...lines: string[]): { headers: Header[] } => ({
  headers: lines.map((line) => {
    const at = line.indexOf(':');
    return { name: line.slice(0, at), value: line.slice(at + 1) };
  }),
});

test.each([
  ['v:1', 'Via'],
  ['Via:1', 'v'],
  ['VIA:1', 'via'],
  ['f:1', 'from'],
  ['Refer-To:1', 'r'],
  ['X-Own:1', 'x-own'],
])('%s is found as %s', (line, name) => {
  expect(header(of(line), name)).toBe('1');
});

test('comma lists are split outside of quotes and brackets, in wire order', () => {
  const message = of('Route:<sip:a;x=1,2>, "b, c" <sip:d>,,', 'X:y', 'Route:<sip:e>');
  expect(headers(message, 'route')).toEqual(['<sip:a;x=1,2>', '"b, c" <sip:d>', '<sip:e>']);
});

test.each([
  ['WWW-Authenticate', 'Digest realm="a", nonce="b"'],
  ['Date', 'Sat, 13 Nov 2010 23:29:00 GMT'],
  ['X-Unknown', 'a,b'],
  ['From', '"A, B" <sip:a@b>'],
])('%s is no list', (name, value) => {
  expect(headers(of(`${name}:${value}`), name)).toEqual([value]);
});

test('a line with an open quote stays whole', () => {
  expect(headers(of('Contact:"a, <sip:b>, <sip:c>'), 'contact')).toEqual(['"a, <sip:b>, <sip:c>']);
});

test('option tags are compared without case, over lines and short names', () => {
  const message = of('k:timer, Path', 'Supported:100rel');
  expect(['100REL', 'path', 'replaces'].map((tag) => hasToken(message, 'supported', tag))).toEqual([
    true,
    true,
    false,
  ]);
});

test('replacing keeps the place of the first line and leaves the given message alone', () => {
  const message = of('A:1', 'v:2', 'B:3', 'Via:4');
  expect(withHeader(message, 'Via', ['x', 'y'])).toEqual(of('A:1', 'Via:x', 'Via:y', 'B:3'));
  expect(withHeader(message, 'C', 'z')).toEqual(of('A:1', 'v:2', 'B:3', 'Via:4', 'C:z'));
  expect(withoutHeader(message, 'via')).toEqual(of('A:1', 'B:3'));
  expect(message).toEqual(of('A:1', 'v:2', 'B:3', 'Via:4'));
});

test('a line is added in front of its like, at the start, or at the end', () => {
  const message = of('A:1', 'v:2');
  expect(withHeaderFirst(message, 'Via', '0')).toEqual(of('A:1', 'Via:0', 'v:2'));
  expect(withHeaderFirst(message, 'Route', '0')).toEqual(of('Route:0', 'A:1', 'v:2'));
  expect(withHeaderLast(message, 'A', '3')).toEqual(of('A:1', 'v:2', 'A:3'));
});

test('the top value is replaced or dropped where it shares its line', () => {
  const message = of('A:1', 'v:a, b', 'Via:c');
  expect(withTopValue(message, 'via', 'x')).toEqual(of('A:1', 'v:x, b', 'Via:c'));
  expect(withTopValue(message, 'via', undefined)).toEqual(of('A:1', 'v:b', 'Via:c'));
  expect(withTopValue(of('v:a', 'v:b'), 'via', undefined)).toEqual(of('v:b'));
  expect(withTopValue(of('A:1'), 'Via', 'x')).toEqual(of('Via:x', 'A:1'));
  expect(withTopValue(of('A:1'), 'Via', undefined)).toEqual(of('A:1'));
});
