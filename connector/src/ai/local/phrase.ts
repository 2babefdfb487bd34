/**
 * Phrases as people write them: `I want [to order] (a | one) {size} pizza`.
 *
 *   alternatives = sequence { "|" sequence }
 *   sequence     = { word | "{" slot "}" | "[" alternatives "]" | "(" alternatives ")" }
 */
export type Phrase =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'slot'; readonly name: string }
  | { readonly kind: 'optional'; readonly part: Phrase }
  | { readonly kind: 'sequence'; readonly parts: readonly Phrase[] }
  | { readonly kind: 'alternatives'; readonly parts: readonly Phrase[] };

/** Nesting beyond this is a slip, and would cost recognition dearly. */
const maxDepth = 8;

/** Throws an Error that says what is wrong with the phrase. */
export function parsePhrase(text: string): Phrase {
  const reader = new PhraseReader(text);
  const phrase = reader.alternatives(0);
  reader.expectEnd();
  if (canBeEmpty(phrase)) throw new Error('it can be said without a word');
  return phrase;
}

/** The spelling the recogniser knows: lower case, without punctuation. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .split(/[\s,.?!;:"]+/)
    .filter((word) => word !== '');
}

/** All words of a phrase, without those of its slots. */
export function wordsIn(phrase: Phrase): string[] {
  switch (phrase.kind) {
    case 'word':
      return [phrase.word];
    case 'slot':
      return [];
    case 'optional':
      return wordsIn(phrase.part);
    case 'sequence':
    case 'alternatives':
      return phrase.parts.flatMap((part) => wordsIn(part));
  }
}

/** Names of the slots of a phrase. */
export function slotsIn(phrase: Phrase): string[] {
  switch (phrase.kind) {
    case 'word':
      return [];
    case 'slot':
      return [phrase.name];
    case 'optional':
      return slotsIn(phrase.part);
    case 'sequence':
    case 'alternatives':
      return phrase.parts.flatMap((part) => slotsIn(part));
  }
}

function canBeEmpty(phrase: Phrase): boolean {
  switch (phrase.kind) {
    case 'word':
    case 'slot':
      return false;
    case 'optional':
      return true;
    case 'sequence':
      return phrase.parts.every((part) => canBeEmpty(part));
    case 'alternatives':
      return phrase.parts.some((part) => canBeEmpty(part));
  }
}

const closers = { '(': ')', '[': ']' } as const;

class PhraseReader {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = text.match(/\{[^{}]*\}|[[\]()|{}]|[^\s[\]()|{}]+/g) ?? [];
  }

  alternatives(depth: number): Phrase {
    if (depth > maxDepth) throw new Error(`brackets are nested more than ${maxDepth} deep`);
    const parts = [this.#sequence(depth)];
    while (this.#take('|')) parts.push(this.#sequence(depth));
    const [first] = parts;
    return parts.length === 1 && first ? first : { kind: 'alternatives', parts };
  }

  expectEnd(): void {
    const token = this.#tokens[this.#next];
    if (token !== undefined) throw new Error(`"${token}" has no partner`);
  }

  #sequence(depth: number): Phrase {
    const parts: Phrase[] = [];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined || token === '|' || token === ')' || token === ']') break;
      this.#next++;
      parts.push(...this.#part(token, depth));
    }
    const [first] = parts;
    return parts.length === 1 && first ? first : { kind: 'sequence', parts };
  }

  #part(token: string, depth: number): Phrase[] {
    if (token === '(' || token === '[') {
      const part = this.alternatives(depth + 1);
      if (!this.#take(closers[token])) throw new Error(`"${token}" is not closed`);
      return [token === '[' ? { kind: 'optional', part } : part];
    }
    if (token === '{' || token === '}') throw new Error(`"${token}" has no partner`);
    if (token.startsWith('{')) return [{ kind: 'slot', name: token.slice(1, -1).trim() }];
    return wordsOf(token).map((word) => ({ kind: 'word', word }));
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false;
    this.#next++;
    return true;
  }
}
