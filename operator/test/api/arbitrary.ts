import * as fc from 'fast-check';
import type { Schema } from '../../src/api/structural-schema.ts';

/**
 * Values around a structural schema. `mistakes` is the weight, of 100, of each way in which people
 * are wrong: a type, a bound, a pattern, a missing or unknown key, two choices at once.
 */
export function valuesOf(schema: Schema, mistakes: number): fc.Arbitrary<unknown> {
  return new Values(mistakes).of(schema);
}

class Values {
  readonly #mistakes: number;

  constructor(mistakes: number) {
    this.#mistakes = mistakes;
  }

  of(schema: Schema): fc.Arbitrary<unknown> {
    const wrong = fc.constantFrom<unknown>('', 'no', 0, -1, 1.5, true, [], {});
    return this.#mostly(this.#rightOf(schema), wrong);
  }

  #mostly<T, U>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
    if (this.#mistakes === 0) return right;
    return fc.oneof(
      { weight: 100 - this.#mistakes, arbitrary: right },
      { weight: this.#mistakes, arbitrary: wrong },
    );
  }

  #rightOf(schema: Schema): fc.Arbitrary<unknown> {
    if (schema['x-kubernetes-int-or-string'])
      return fc.oneof(this.#numberOf(schema), this.#textOf(schema));
    if (schema.enum) return this.#mostly(fc.constantFrom(...schema.enum), fc.string());
    if (schema.properties) return this.#objectOf(schema, schema.properties);
    const byType: Record<string, () => fc.Arbitrary<unknown>> = {
      object: () => this.#mapOf(schema),
      array: () => this.#listOf(schema),
      integer: () => this.#numberOf(schema),
      number: () => this.#fractionOf(schema),
      boolean: () => fc.boolean(),
      string: () => this.#textOf(schema),
    };
    return byType[schema.type ?? 'string']!();
  }

  /** Optional fields are mostly absent, and choices mostly made: not none, not two. */
  #objectOf(schema: Schema, properties: Record<string, Schema>): fc.Arbitrary<unknown> {
    const required = schema.required ?? [];
    const choices = choicesOf(schema);
    const optional = Object.keys(properties).filter(
      (key) => !required.includes(key) && !choices.includes(key),
    );
    const chosen =
      choices.length === 0
        ? fc.constant<string[]>([])
        : fc.constantFrom(...choices.map((key) => [key]));
    const keys = fc.tuple(
      fc.subarray(optional, { maxLength: Math.min(3, optional.length) }),
      this.#mostly(chosen, fc.subarray(choices)),
      this.#mostly(fc.constant([...required]), fc.subarray(required)),
    );
    return keys
      .chain((parts) =>
        fc.record(Object.fromEntries(parts.flat().map((key) => [key, this.of(properties[key]!)]))),
      )
      .chain((value) => this.#mostly(fc.constant(fitting(schema, value)), this.#strange(value)));
  }

  #strange(value: object): fc.Arbitrary<object> {
    return fc.constantFrom({ ...value, surprise: 1 }, value);
  }

  #mapOf(schema: Schema): fc.Arbitrary<unknown> {
    const { additionalProperties: values } = schema;
    const value =
      typeof values === 'object' ? this.of(values) : fc.constantFrom<unknown>(1, 'a', { b: [1] });
    const patterns = rulesOf(schema).flatMap((rule) => {
      const [, pattern] = /matches\('(.*)'\)/.exec(rule) ?? [];
      return pattern === undefined ? [] : [fc.stringMatching(new RegExp(pattern))];
    });
    const key = patterns[0] ?? fc.constantFrom('a', 'b', 'example.com/x');
    return fc.dictionary(this.#mostly(key, fc.constantFrom('parley.dev/x', 'A-1')), value, {
      maxKeys: 3,
    });
  }

  #listOf(schema: Schema): fc.Arbitrary<unknown> {
    const item = this.of(schema.items ?? {});
    const least = Number(schema['minItems'] ?? 0);
    const options = { minLength: least, maxLength: least + 2 };
    const right =
      schema['x-kubernetes-list-type'] === undefined
        ? fc.array(item, options)
        : fc.uniqueArray(item, { ...options, selector: identityOf });
    return this.#mostly(
      right,
      fc.oneof(
        fc.constant([]),
        item.map((one) => [one, one]),
      ),
    );
  }

  #numberOf({ minimum: min = -5, maximum: max = min + 1000 }: Schema): fc.Arbitrary<unknown> {
    return this.#mostly(
      fc.integer({ min, max }),
      fc.constantFrom(min - 1, max + 1, min, max, min + 0.5),
    );
  }

  #fractionOf({ minimum: min = -5, maximum: max = min + 1000 }: Schema): fc.Arbitrary<unknown> {
    return this.#mostly(
      fc.double({ min, max, noNaN: true }),
      fc.constantFrom(min - 0.01, max + 0.01, min, max),
    );
  }

  #textOf(schema: Schema): fc.Arbitrary<unknown> {
    if (rulesOf(schema).includes('isCIDR(self)')) return this.#mostly(ranges, strangeRanges);
    const max = Number(schema['maxLength'] ?? 40);
    const free = fc.string({ minLength: 1, maxLength: Math.min(max, 40) });
    const odd = fc.constantFrom('', 'x'.repeat(Math.min(max + 1, 3000)), 'x'.repeat(max));
    if (schema.pattern === undefined) return this.#mostly(free, odd);
    const right = fc
      .stringMatching(new RegExp(schema.pattern))
      .filter((text) => text.length <= max);
    return this.#mostly(right, fc.oneof(free, odd));
  }
}

function rulesOf(schema: Schema): string[] {
  return (schema['x-kubernetes-validations'] ?? []).map(({ rule }) => rule);
}

function choicesOf(schema: Schema): string[] {
  const rule = rulesOf(schema).find((text) => text.includes('exists_one')) ?? '';
  return [...rule.matchAll(/has\(self\.(\w+)\)/g)].map(([, key]) => key!);
}

/** Without what means nothing beside the value of the tag. */
function fitting(schema: Schema, value: object): object {
  const entries = new Map(Object.entries(value));
  for (const rule of rulesOf(schema)) {
    const [, tag, word, key] = /^self\.(\w+) != '(\w+)' \|\| !has\(self\.(\w+)\)$/.exec(rule) ?? [];
    if (entries.get(tag!) === word) entries.delete(key!);
  }
  return Object.fromEntries(entries);
}

/** What an API server compares in lists whose items must differ. */
function identityOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'name' in item ? item.name : item;
}

const lengths = fc.constantFrom('0', '8', '24', '32', '64', '128', '129', '08', '', '+8');
const ranges = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 8, maxLength: 8 }),
      fc.nat(128),
    )
    .map(([parts, length]) => `${parts.map((part) => part.toString(16)).join(':')}/${length}`),
);
const strangeRanges = fc.oneof(
  fc.ipV4Extended(),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), lengths)
    .map(([address, length]) => `${address}/${length}`),
);
