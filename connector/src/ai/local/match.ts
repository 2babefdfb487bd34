import type { Phrase } from './phrase.ts';

/** Slot -> value as the configuration spells it. */
export type SlotValues = Readonly<Record<string, string>>;

/** A value of a slot: its words, and how it is written. */
export interface SlotValue {
  readonly words: readonly string[];
  readonly value: string;
}

export type SlotTable = ReadonlyMap<string, readonly SlotValue[]>;

interface Place {
  /** Words taken so far. */
  readonly at: number;
  readonly slots: SlotValues;
}

/** What the slots of a phrase hold when `words`, all of them, are said; undefined when it is not that phrase. */
export function matchPhrase(
  phrase: Phrase,
  words: readonly string[],
  table: SlotTable,
): SlotValues | undefined {
  return placesAfter(phrase, { at: 0, slots: {} }, { words, table }).find(
    (place) => place.at === words.length,
  )?.slots;
}

interface Said {
  readonly words: readonly string[];
  readonly table: SlotTable;
}

/** Everywhere one can be after saying the phrase from `place`; at most one way to each word. */
function placesAfter(phrase: Phrase, place: Place, said: Said): Place[] {
  switch (phrase.kind) {
    case 'word':
      return said.words[place.at] === phrase.word ? [{ ...place, at: place.at + 1 }] : [];
    case 'slot':
      return distinct(
        (said.table.get(phrase.name) ?? [])
          .filter(({ words }) => words.every((word, n) => said.words[place.at + n] === word))
          .map(({ words, value }) => ({
            at: place.at + words.length,
            slots: { ...place.slots, [phrase.name]: value },
          })),
      );
    case 'optional':
      return distinct([...placesAfter(phrase.part, place, said), place]);
    case 'alternatives':
      return distinct(phrase.parts.flatMap((part) => placesAfter(part, place, said)));
    case 'sequence':
      return phrase.parts.reduce<Place[]>(
        (places, part) => distinct(places.flatMap((from) => placesAfter(part, from, said))),
        [place],
      );
  }
}

/** Keeps the first way to each word, so that the work stays linear in the phrase. */
function distinct(places: readonly Place[]): Place[] {
  return places.filter((place, index) => places.findIndex(({ at }) => at === place.at) === index);
}
