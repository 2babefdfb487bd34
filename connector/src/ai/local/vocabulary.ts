import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { phones } from './grammar.ts';

/** Words the recogniser can pronounce. */
export type Vocabulary = ReadonlySet<string>;

/** Reads the recogniser's dictionary: 135,000 lines `word PH ON ES`, lower case. */
export function readVocabulary(): Vocabulary {
  const file = fileURLToPath(
    new URL('./model/en-us/dict.txt', import.meta.resolve('soundswallower')),
  );
  return vocabularyOf(readFileSync(file, 'utf8'));
}

export function vocabularyOf(dictionary: string): Vocabulary {
  return new Set(
    dictionary
      .split('\n')
      .filter((line) => !line.startsWith(';;'))
      .map((line) => line.slice(0, line.indexOf(' '))),
  );
}

/** What is wrong with a pronunciation, or undefined. */
export function pronunciationFault(pronunciation: string): string | undefined {
  const sounds = pronunciation.split(/\s+/).filter((sound) => sound !== '');
  const strange = sounds.find((sound) => !phones.includes(sound));
  if (sounds.length === 0) return 'it is empty';
  return strange === undefined ? undefined : `"${strange}" is none of ${phones.join(' ')}`;
}
