import { expect, test } from 'vitest';
import { sentencesOf } from './sentences.ts';

test.each([
  ['Hello. How are you? Good!', ['Hello.', 'How are you?', 'Good!']],
  ['It costs 4.50 today.', ['It costs 4.50 today.']],
  ['Café “Zürich” – open ☺', ['Cafe Zurich , open']],
  ['', []],
  ['... !', []],
])('"%s" is said as %o', (text, want) => {
  expect(sentencesOf(text)).toEqual(want);
});

test('a long sentence is cut at its last comma that fits, or at a space', () => {
  const clause = 'this is one of many words, ';
  expect(sentencesOf(clause.repeat(10)).map(({ length }) => length)).toEqual([188, 80]);
  expect(sentencesOf('word '.repeat(60)).every(({ length }) => length <= 200)).toBe(true);
  expect(sentencesOf('x'.repeat(450)).map(({ length }) => length)).toEqual([200, 200, 50]);
});
