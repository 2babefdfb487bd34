import { ConnectorError, messageOf } from '../../base/errors.ts';
import { grammarOf } from './grammar.ts';
import { matchPhrase, type SlotTable, type SlotValues } from './match.ts';
import type { Intent, LocalOptions } from './options.ts';
import { type Phrase, parsePhrase, slotsIn, wordsIn, wordsOf } from './phrase.ts';
import { pronunciationFault, type Vocabulary } from './vocabulary.ts';

/** What somebody meant. */
export interface Meaning {
  readonly intent: Intent;
  readonly slots: SlotValues;
}

interface CompiledIntent {
  readonly intent: Intent;
  readonly phrases: readonly Phrase[];
}

/** The intents of an agent, ready to be recognised and understood. */
export class Script {
  readonly pronunciations: Readonly<Record<string, string>>;
  readonly #intents: readonly CompiledIntent[];
  readonly #slots: SlotTable;
  readonly #grammars = new Map<string, string>();

  /** Throws a ConnectorError CONFIG_INVALID that names the intent or slot, the word, and the way out. */
  constructor(
    options: Pick<LocalOptions, 'intents' | 'slots' | 'pronunciations'>,
    vocabulary: Vocabulary,
  ) {
    this.pronunciations = pronunciationsOf(options.pronunciations);
    this.#slots = new Map(
      Object.entries(options.slots).map(([name, values]) => [
        name,
        values.map((value) => ({ words: wordsOf(value), value })),
      ]),
    );
    this.#intents = options.intents.map((intent) => ({
      intent,
      phrases: intent.phrases.map((phrase) => parsed(intent, phrase)),
    }));
    this.#check(vocabulary);
  }

  intent(name: string): Intent | undefined {
    return this.#intents.find(({ intent }) => intent.name === name)?.intent;
  }

  /** JSGF of the intents that are possible now; all when undefined. */
  grammar(allowed: readonly string[] | undefined): string {
    const key = allowed?.join(' ') ?? '*';
    const known = this.#grammars.get(key);
    if (known !== undefined) return known;
    const phrases = this.#possible(allowed).flatMap((one) => one.phrases);
    const grammar = grammarOf(phrases, this.#slots);
    this.#grammars.set(key, grammar);
    return grammar;
  }

  /** The first possible intent that `text` says. */
  understand(text: string, allowed: readonly string[] | undefined): Meaning | undefined {
    const words = wordsOf(text);
    for (const { intent, phrases } of this.#possible(allowed))
      for (const phrase of phrases) {
        const slots = matchPhrase(phrase, words, this.#slots);
        if (slots) return { intent, slots };
      }
    return undefined;
  }

  #possible(allowed: readonly string[] | undefined): readonly CompiledIntent[] {
    if (allowed === undefined) return this.#intents;
    return this.#intents.filter(({ intent }) => allowed.includes(intent.name));
  }

  #check(vocabulary: Vocabulary): void {
    const knows = (word: string) => vocabulary.has(word) || word in this.pronunciations;
    for (const { intent, phrases } of this.#intents) {
      const unknown = phrases.flatMap((phrase) => wordsIn(phrase)).find((word) => !knows(word));
      if (unknown !== undefined) throw unknownWord(unknown, `intent "${intent.name}"`);
      const slots = new Set(phrases.flatMap((phrase) => slotsIn(phrase)));
      for (const slot of slots) this.#checkSlot(slot, { intent, knows });
    }
  }

  #checkSlot(
    slot: string,
    { intent, knows }: { readonly intent: Intent; readonly knows: (word: string) => boolean },
  ): void {
    const place = `slot "${slot}" of intent "${intent.name}"`;
    const values = this.#slots.get(slot);
    if (values === undefined) throw invalid(`${place} has no values: add it to slots`);
    for (const { words, value } of values) {
      if (words.length === 0) throw invalid(`${place} has the value "${value}", which has no word`);
      for (const word of words) if (!knows(word)) throw unknownWord(word, place);
    }
  }
}

function parsed(intent: Intent, phrase: string): Phrase {
  try {
    return parsePhrase(phrase);
  } catch (error) {
    throw invalid(`intent "${intent.name}", phrase "${phrase}": ${messageOf(error)}`);
  }
}

function pronunciationsOf(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([word, pronunciation]) => {
      const fault = pronunciationFault(pronunciation);
      if (fault !== undefined) throw invalid(`pronunciation of "${word}": ${fault}`);
      return [word.toLowerCase(), pronunciation];
    }),
  );
}

function unknownWord(word: string, place: string): ConnectorError {
  const remedy = /\d/.test(word)
    ? 'spell numbers out ("seven")'
    : `use another word, or say how it sounds in ARPAbet: pronunciations: {"${word}": "…"}`;
  return invalid(`${place} uses "${word}", a word the recogniser does not know; ${remedy}`);
}

function invalid(message: string): ConnectorError {
  return new ConnectorError('CONFIG_INVALID', `local provider: ${message}`);
}
