import { expect, test } from 'vitest';
import { spellHeader } from './header-spelling.ts';

test.each([
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['www-authenticate', 'WWW-Authenticate'],
  ['foo-bar', 'Foo-Bar'],
  ['P-Asserted-Identity', 'P-Asserted-Identity'],
  ['p-asserted-identity', 'P-Asserted-Identity'],
  ['X-parley-call', 'X-parley-call'],
  ['x-parley-call', 'x-parley-call'],
  ['m', 'Contact'],
  ['Diversion', 'Diversion'],
])('%s is written %s', (name, want) => {
  expect(spellHeader(name)).toBe(want);
});
