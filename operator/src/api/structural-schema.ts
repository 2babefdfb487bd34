import { z } from 'zod';

/**
 * zod -> the structural OpenAPI v3 schema of a CustomResourceDefinition. What zod says with unions is
 * said there with optional fields and CEL rules; what cannot be said is an error, never left out.
 */

/** A node of JSON Schema, with Kubernetes' extensions. */
export interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxProperties?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  'x-kubernetes-validations'?: { rule: string; message: string }[];
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  [key: string]: unknown;
}

/** Throws for what an API server would refuse in a schema. */
export function structuralSchema(schema: z.ZodType): Schema {
  const raw: unknown = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    reused: 'inline',
  });
  if (!isSchema(raw)) throw new Error('zod made no schema');
  return convert(raw);
}

function isSchema(value: unknown): value is Schema {
  return isRecord(value);
}

/** Keys that a strict API server does not know, or that say what pruning does anyway. */
const dropped = ['$schema', 'id', '$id', 'readOnly', 'examples', 'deprecated', 'title'];
const forbidden = ['$ref', '$defs', 'definitions', 'allOf', 'not', 'prefixItems'];

function convert(given: Schema): Schema {
  const stray = forbidden.find((key) => key in given);
  if (stray !== undefined) throw new Error(`a structural schema has no ${stray}`);
  const schema: Schema = Object.fromEntries(
    Object.entries(given).filter(([key]) => !dropped.includes(key)),
  );
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(schema, choices.map(convert));
  checkPattern(schema.pattern);
  return withObject(withItems(withoutSafeBounds(schema)));
}

/** Go's RE2 has no lookaround. */
function checkPattern(pattern: string | undefined): void {
  if (pattern !== undefined && /\(\?[=!<]/.test(pattern))
    throw new Error(`an API server cannot match ${pattern}`);
}

/** zod's integers carry the bounds of a safe JavaScript integer. */
function withoutSafeBounds({ minimum, maximum, ...rest }: Schema): Schema {
  return {
    ...rest,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}

function withItems(schema: Schema): Schema {
  return schema.items ? { ...schema, items: convert(schema.items) } : schema;
}

function withObject(schema: Schema): Schema {
  if (schema.properties) return withProperties(schema, schema.properties);
  const { additionalProperties: values, ...rest } = schema;
  if (values === undefined) return saysNothing(schema) ? anything(schema) : schema;
  if (values === false) return rest;
  if (values === true || saysNothing(values))
    return { ...rest, 'x-kubernetes-preserve-unknown-fields': true };
  return { ...rest, additionalProperties: convert(values) };
}

function withProperties(schema: Schema, properties: Record<string, Schema>): Schema {
  const { additionalProperties, ...rest } = schema;
  const converted = Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, convert(value)]),
  );
  return expandDefault({
    ...rest,
    properties: converted,
    ...(additionalProperties === undefined || additionalProperties === false
      ? {}
      : { 'x-kubernetes-preserve-unknown-fields': true }),
  });
}

/** CEL sees a default before the defaults inside it: they are written out. */
function expandDefault(schema: Schema): Schema {
  if (!isRecord(schema.default)) return schema;
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.default === undefined ? [] : [[key, value.default] as const],
  );
  return { ...schema, default: { ...Object.fromEntries(inner), ...schema.default } };
}

function saysNothing(schema: Schema): boolean {
  return Object.keys(schema).every((key) => ['description', 'default', 'nullable'].includes(key));
}

function anything(schema: Schema): Schema {
  return { ...schema, 'x-kubernetes-preserve-unknown-fields': true };
}

type Rule = NonNullable<Schema['x-kubernetes-validations']>[number];

function withRules(schema: Schema, rules: readonly Rule[]): Schema {
  if (rules.length === 0) return schema;
  return {
    ...schema,
    'x-kubernetes-validations': [...(schema['x-kubernetes-validations'] ?? []), ...rules],
  };
}

function union(outer: Schema, choices: readonly Schema[]): Schema {
  const { anyOf: _, oneOf: __, ...rest } = outer;
  if (choices.every(({ type }) => type === 'object')) return objectUnion(rest, choices);
  const types = choices.map(({ type }) => String(type)).toSorted((a, b) => a.localeCompare(b));
  if (types.join() !== 'integer,string') throw new Error(`no union of ${types.join()} in a CRD`);
  const merged = choices.reduce((all, { type: _type, ...one }) => ({ ...all, ...one }), {});
  return { ...merged, ...rest, 'x-kubernetes-int-or-string': true };
}

/** One object with the fields of all choices, and rules that say which go together. */
function objectUnion(outer: Schema, choices: readonly Schema[]): Schema {
  const tag = tagOf(choices);
  const properties = mergedProperties(choices, tag);
  const required = Object.keys(properties).filter(
    (key) => key === tag || choices.every((choice) => isRequired(choice, key)),
  );
  const rules =
    tag === undefined
      ? exclusiveRules(choices)
      : choices.flatMap((one) => tagRules(one, { tag, properties }));
  const merged = { ...outer, type: 'object', properties };
  return withRules(required.length === 0 ? merged : { ...merged, required }, rules);
}

function isRequired(choice: Schema, key: string): boolean {
  return choice.required?.includes(key) ?? false;
}

/** The field whose one value tells the choices apart. */
function tagOf(choices: readonly Schema[]): string | undefined {
  return Object.keys(choices[0]?.properties ?? {}).find((key) =>
    choices.every((choice) => isRequired(choice, key) && tagValue(choice, key) !== undefined),
  );
}

function tagValue(choice: Schema, tag: string): string | undefined {
  const values = choice.properties?.[tag]?.enum;
  return values?.length === 1 && typeof values[0] === 'string' ? values[0] : undefined;
}

function mergedProperties(
  choices: readonly Schema[],
  tag: string | undefined,
): Record<string, Schema> {
  const merged: Record<string, Schema> = {};
  for (const [key, value] of choices.flatMap((one) => Object.entries(one.properties ?? {}))) {
    if (key === tag) continue;
    if (merged[key] && JSON.stringify(merged[key]) !== JSON.stringify(value))
      throw new Error(`the choices of a union disagree on ${key}`);
    merged[key] = value;
  }
  if (tag === undefined) return merged;
  return { [tag]: { type: 'string', enum: choices.map((one) => tagValue(one, tag)) }, ...merged };
}

interface Tagged {
  readonly tag: string;
  readonly properties: Readonly<Record<string, Schema>>;
}

function tagRules(choice: Schema, { tag, properties }: Tagged): Rule[] {
  const value = tagValue(choice, tag) ?? '';
  return Object.keys(properties).flatMap((key) => {
    if (key === tag) return [];
    if (isRequired(choice, key))
      return [
        {
          rule: `self.${tag} != '${value}' || has(self.${key})`,
          message: `${key} is required where ${tag} is ${value}`,
        },
      ];
    if (choice.properties && key in choice.properties) return [];
    return [
      {
        rule: `self.${tag} != '${value}' || !has(self.${key})`,
        message: `${key} means nothing where ${tag} is ${value}`,
      },
    ];
  });
}

/** Choices told apart by a required field of their own. */
function exclusiveRules(choices: readonly Schema[]): Rule[] {
  const keys = choices.map((choice) => {
    const own = Object.keys(choice.properties ?? {}).filter(
      (key) => choices.filter((other) => other.properties && key in other.properties).length === 1,
    );
    const [key] = own;
    if (own.length !== 1 || key === undefined || !isRequired(choice, key))
      throw new Error('a choice of a union needs exactly one field of its own, and required');
    return key;
  });
  return [
    {
      rule: `[${keys.map((key) => `has(self.${key})`).join(', ')}].exists_one(is, is)`,
      message: `needs exactly one of ${keys.join(', ')}`,
    },
  ];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
