import { expect, test } from 'vitest';
import { Script } from './script.ts';
import { vocabularyOf } from './vocabulary.ts';

const vocabulary = vocabularyOf(
  ';; a comment\nyes Y EH S\nlarge L AA R JH\nsmall S M AO L\npizza P IY T S AH\ni AY\nwant W AA N T\nopen OW P AH N\n',
);

interface Given {
  readonly phrases?: readonly string[];
  readonly slots?: Readonly<Record<string, readonly string[]>>;
  readonly pronunciations?: Readonly<Record<string, string>>;
}

function script({ phrases = ['I want {size} pizza'], slots, pronunciations }: Given = {}): Script {
  return new Script(
    {
      intents: [
        { name: 'order', phrases },
        { name: 'agree', phrases: ['yes'] },
      ],
      slots: slots ?? { size: ['large', 'small'] },
      pronunciations: pronunciations ?? {},
    },
    vocabulary,
  );
}

test('the grammar has a rule for each slot in use, all phrases, and sounds as the way out', () => {
  const lines = script({ slots: { size: ['large', 'small'], unused: ['yes'] } })
    .grammar(undefined)
    .split('\n');
  expect(lines.slice(0, 4)).toEqual([
    '#JSGF V1.0;',
    'grammar parley;',
    '<slot_size> = (large | small);',
    '<phrase> = (i want <slot_size> pizza | yes);',
  ]);
  expect(lines[4]).toMatch(/^<sounds> = \(q_aa \| .* \| q_zh\)\+;$/);
  expect(lines[5]).toBe('public <utterance> = /1/ <phrase> | /1e-20/ <sounds>;');
});

test('only intents that can follow are in the grammar and are understood', () => {
  const two = script();
  expect(two.grammar(['agree'])).toContain('<phrase> = (yes);');
  expect(two.understand('I want small pizza', ['agree'])).toBe(undefined);
  expect(two.understand('yes', ['agree'])?.intent.name).toBe('agree');
});

test('slots come back as they are written', () => {
  const meaning = script({ slots: { size: ['Large!'] } }).understand(
    'I want large pizza.',
    undefined,
  );
  expect(meaning?.slots).toEqual({ size: 'Large!' });
});

test.each([
  [
    { phrases: ['I want acmecorp'] },
    'intent "order" uses "acmecorp", a word the recogniser does not know; use another word, or say how it sounds in ARPAbet: pronunciations: {"acmecorp": "…"}',
  ],
  [{ phrases: ['I want 7 pizza'] }, 'uses "7", a word the recogniser does not know; spell numbers'],
  [{ slots: { size: ['huge'] } }, 'slot "size" of intent "order" uses "huge"'],
  [{ slots: {} }, 'slot "size" of intent "order" has no values'],
  [{ slots: { size: ['!'] } }, 'has the value "!", which has no word'],
  [{ phrases: ['I want (pizza'] }, 'intent "order", phrase "I want (pizza": "(" is not closed'],
  [{ pronunciations: { acmecorp: 'AE K XX' } }, 'pronunciation of "acmecorp": "XX" is none of AA'],
  [{ pronunciations: { acmecorp: ' ' } }, 'pronunciation of "acmecorp": it is empty'],
])('%o is refused with the way out', (given, reason) => {
  expect(() => script(given)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(() => script(given)).toThrow(reason);
});

test('a pronunciation makes a word known, however it is written', () => {
  const known = script({
    phrases: ['I want AcmeCorp'],
    pronunciations: { AcmeCorp: 'AE K M IY K AO R P' },
  });
  expect(known.understand('i want acmecorp', undefined)?.intent.name).toBe('order');
  expect(known.pronunciations).toEqual({ acmecorp: 'AE K M IY K AO R P' });
});
