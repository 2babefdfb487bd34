import { expect, test } from 'vitest';
import { matchPhrase, type SlotTable } from './match.ts';
import { parsePhrase, slotsIn, wordsIn } from './phrase.ts';

const slots: SlotTable = new Map([
  [
    'size',
    [
      { words: ['large'], value: 'Large' },
      { words: ['extra', 'large'], value: 'XL' },
    ],
  ],
  ['kind', [{ words: ['cheese'], value: 'cheese' }]],
]);

const phrase = parsePhrase('I want [to order] (a | one) {size} {kind} pizza[, please]');

test.each([
  ['i want a large cheese pizza', { size: 'Large', kind: 'cheese' }],
  ['i want to order one extra large cheese pizza please', { size: 'XL', kind: 'cheese' }],
  ['i want a cheese pizza', undefined],
  ['i want a large cheese pizza please please', undefined],
  ['i want to a large cheese pizza', undefined],
  ['', undefined],
])('"%s" means %o', (said, want) => {
  expect(matchPhrase(phrase, said.split(' '), slots)).toEqual(want);
});

test('words and slots of a phrase are found, whatever their brackets', () => {
  expect(wordsIn(phrase)).toEqual(['i', 'want', 'to', 'order', 'a', 'one', 'pizza', 'please']);
  expect(slotsIn(phrase)).toEqual(['size', 'kind']);
});

test('a way that leads nowhere does not hide one that fits', () => {
  const greedy = parsePhrase('[yes] [yes please] goodbye');
  expect(matchPhrase(greedy, ['yes', 'please', 'goodbye'], slots)).toEqual({});
});

test('many optional words take no time', () => {
  const long = parsePhrase(`${'[no] '.repeat(40)}goodbye`);
  expect(matchPhrase(long, [...Array.from({ length: 39 }, () => 'no'), 'bye'], slots)).toBe(
    undefined,
  );
});

test.each([
  ['a (b', '"(" is not closed'],
  ['a [b', '"[" is not closed'],
  ['a b)', '")" has no partner'],
  ['a b]', '"]" has no partner'],
  ['a [b) c', '"[" is not closed'],
  ['a {b', '"{" has no partner'],
  ['a } b', '"}" has no partner'],
  ['[please]', 'it can be said without a word'],
  ['a | [b]', 'it can be said without a word'],
  ['a | ', 'it can be said without a word'],
  ['', 'it can be said without a word'],
  ['((((((((((a))))))))))', 'brackets are nested more than 8 deep'],
])('"%s" is refused: %s', (text, reason) => {
  expect(() => parsePhrase(text)).toThrow(reason);
});
