import type { SlotTable } from './match.ts';
import { type Phrase, slotsIn } from './phrase.ts';

/** Phones of the acoustic model, the ARPAbet of CMUdict. */
export const phones: readonly string[] = (
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ' +
  'ZH'
).split(' ');

/** One word for each phone; what sounds like none of the phrases is heard as a row of these. */
export const soundWords: Readonly<Record<string, string>> = Object.fromEntries(
  phones.map((phone) => [`q_${phone.toLowerCase()}`, phone]),
);

/**
 * Weight of any sounds at all against the phrases. Measured on 4 voices, 11 lines in and 11 out of a
 * grammar: without the sounds 31 of 44 strange lines were taken for a phrase, 3 of them with a
 * confidence of 0.9; with 1e-20, 7 and none, for one good line lost of 44. At 1e-10 three are lost.
 */
const soundWeight = '1e-20';

/** JSGF of some phrases. Slots are rules of their own. */
export function grammarOf(phrases: readonly Phrase[], slots: SlotTable): string {
  const used = [...new Set(phrases.flatMap((phrase) => slotsIn(phrase)))];
  return [
    '#JSGF V1.0;',
    'grammar parley;',
    ...used.map((name) => `<slot_${name}> = ${alternatives(valuesOf(slots, name))};`),
    `<phrase> = ${alternatives(phrases.map((phrase) => expand(phrase)))};`,
    `<sounds> = ${alternatives(Object.keys(soundWords))}+;`,
    `public <utterance> = /1/ <phrase> | /${soundWeight}/ <sounds>;`,
    '',
  ].join('\n');
}

/** True when the recogniser heard sounds, not a phrase. */
export function isSounds(text: string): boolean {
  return text.split(' ').some((word) => word in soundWords);
}

function valuesOf(slots: SlotTable, name: string): string[] {
  return (slots.get(name) ?? []).map(({ words }) => words.join(' '));
}

function alternatives(parts: readonly string[]): string {
  return `(${parts.join(' | ')})`;
}

function expand(phrase: Phrase): string {
  switch (phrase.kind) {
    case 'word':
      return phrase.word;
    case 'slot':
      return `<slot_${phrase.name}>`;
    case 'optional':
      return `[${expand(phrase.part)}]`;
    case 'alternatives':
      return alternatives(phrase.parts.map((part) => expand(part)));
    case 'sequence':
      return phrase.parts.map((part) => expand(part)).join(' ');
  }
}
