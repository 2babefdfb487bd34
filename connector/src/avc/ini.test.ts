import { expect, test } from 'vitest';
import { parseIni } from './ini.ts';

const sectionOf = (text: string, name = 'a') => parseIni(text).sections.get(name);

test('a value goes on over lines that are indented more', () => {
  expect(sectionOf('[a]\nx = one\n  two\n\n  three\n# no\ny: 1\n')).toEqual({
    x: 'one\ntwo\n\nthree',
    y: '1',
  });
});

test('[DEFAULT] counts where a section says nothing, %(name)s is filled in', () => {
  const text = '[a]\nX = %(who)s 100%%\n[DEFAULT]\nwho = me\nloop = %(loop)s\n[b]\nwho = you';
  expect(sectionOf(text)).toMatchObject({ x: 'me 100%', who: 'me' });
  expect(sectionOf(text, 'b')).toMatchObject({ who: 'you' });
});

test.each([
  ['x = 1', 'line 1: comes before the first [section]'],
  ['[a]\nx', 'line 2: neither [section] nor key = value'],
  ['[a]\nx = 1\nX = 2', 'line 3: x is there twice'],
  ['[a]\n[a]', 'line 2: the section is there twice'],
])('%j is no INI', (text, reason) => {
  expect(() => parseIni(text)).toThrow(reason);
});
