import { expect, test } from 'vitest';
import { formatNameAddr, parseNameAddr, tagOf, withTag } from './name-addr.ts';

const uri = { kind: 'sip', scheme: 'sip', user: 'a', host: 'b', params: [], headers: [] };

test.each([
  ['sip:a@b', { uri, params: [] }],
  ['<sip:a@b>', { uri, params: [] }],
  ['sip:a@b;tag=1', { uri, params: [{ name: 'tag', value: '1' }] }],
  ['<sip:a@b;lr>;x', { uri: { ...uri, params: [{ name: 'lr' }] }, params: [{ name: 'x' }] }],
  ['"A. \\"B\\" <c>" <sip:a@b>', { displayName: 'A. "B" <c>', uri, params: [] }],
  ['"" <sip:a@b>', { uri, params: [] }],
  ['Müller & Söhne (2)  <sip:a@b>', { displayName: 'Müller & Söhne (2)', uri, params: [] }],
  ['A<sip:a@b>', { displayName: 'A', uri, params: [] }],
  ['"A"<sip:a@b>', { displayName: 'A', uri, params: [] }],
  ['sip:a@b;x="<"', { uri, params: [{ name: 'x', value: '"<"' }] }],
  ['<tel:+1>', { uri: { kind: 'tel', number: '+1', params: [] }, params: [] }],
])('%s', (text, want) => {
  expect(parseNameAddr(text)).toEqual(want);
});

test.each([
  '',
  '<>',
  '<sip:a@b',
  '"A <sip:a@b>',
  'A, B <sip:a@b>',
  'sip:a@b <sip:a@b>',
  '< sip:a@b >',
  'sip:a@b?x=y',
  'sip:a@b,sip:c@d',
  '<sip:a@b>;;',
  '<sip:a@b> x',
  '"A" sip:a@b',
])('%j is refused', (text) => {
  expect(parseNameAddr(text)).toBeUndefined();
});

test('formatting quotes the name and always sets brackets', () => {
  const value = parseNameAddr('A "');
  expect(value).toBeUndefined();
  const named = { ...parseNameAddr('sip:a@b;tag=1')!, displayName: 'A "B"\\\r\nX: y' };
  expect(formatNameAddr(named)).toBe('"A \\"B\\"\\\\ X: y" <sip:a@b>;tag=1');
});

test('tags are read and set', () => {
  expect([tagOf('<sip:a@b>;tag=x'), tagOf('<sip:a@b>'), tagOf('?')]).toEqual([
    'x',
    undefined,
    undefined,
  ]);
  const value = parseNameAddr('<sip:a@b>;TAG=old;p')!;
  expect(formatNameAddr(withTag(value, 'new'))).toBe('<sip:a@b>;tag=new;p');
});
