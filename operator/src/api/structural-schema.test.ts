import { expect, test } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from './structural-schema.ts';

const text = { type: 'string' };

test('an object loses what a CRD refuses', () => {
  const schema = z.strictObject({ a: z.string(), b: z.number().int().default(1) });
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    properties: { a: text, b: { type: 'integer', default: 1 } },
    required: ['a'],
  });
});

test('choices told apart by a field of their own become optional fields and a rule', () => {
  const schema = z.union([
    z.strictObject({ name: z.string(), a: z.string() }),
    z.strictObject({ name: z.string(), b: z.string() }),
  ]);
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    properties: { name: text, a: text, b: text },
    required: ['name'],
    'x-kubernetes-validations': [
      {
        rule: '[has(self.a), has(self.b)].exists_one(is, is)',
        message: 'needs exactly one of a, b',
      },
    ],
  });
});

test('choices told apart by a tag become an enum and rules', () => {
  const schema = z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('x'), a: z.string() }),
    z.strictObject({ type: z.literal('y'), b: z.string().optional() }),
  ]);
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    properties: { type: { type: 'string', enum: ['x', 'y'] }, a: text, b: text },
    required: ['type'],
    'x-kubernetes-validations': [
      { rule: "self.type != 'x' || has(self.a)", message: 'a is required where type is x' },
      { rule: "self.type != 'x' || !has(self.b)", message: 'b means nothing where type is x' },
      { rule: "self.type != 'y' || !has(self.a)", message: 'a means nothing where type is y' },
    ],
  });
});

test('a number or a text is int-or-string', () => {
  expect(structuralSchema(z.union([z.number().int(), z.string().max(5)]))).toEqual({
    maxLength: 5,
    'x-kubernetes-int-or-string': true,
  });
});

test('anything is kept as it is', () => {
  const keep = { 'x-kubernetes-preserve-unknown-fields': true };
  expect(structuralSchema(z.record(z.string(), z.unknown()))).toEqual({ type: 'object', ...keep });
});

test('a default is written out with the defaults inside it', () => {
  const schema = z.strictObject({ a: z.string().default('x'), b: z.string().optional() });
  expect(structuralSchema(schema.prefault({}))).toMatchObject({ default: { a: 'x' } });
});

test.each([
  {
    name: 'a union of a text and a boolean',
    schema: z.union([z.string(), z.boolean()]),
    why: 'no union of boolean,string',
  },
  {
    name: 'choices that disagree on a field',
    schema: z.union([
      z.strictObject({ n: z.string(), a: z.string() }),
      z.strictObject({ n: z.number(), b: z.string() }),
    ]),
    why: 'disagree on n',
  },
  {
    name: 'choices that nothing tells apart',
    schema: z.union([z.strictObject({ a: z.string() }), z.strictObject({ a: z.string() })]),
    why: 'exactly one field of its own',
  },
  {
    name: 'a pattern that RE2 does not know',
    schema: z.string().regex(/^(?!a)/),
    why: 'cannot match',
  },
])('$name cannot be said in a CRD', ({ schema, why }) => {
  expect(() => structuralSchema(schema)).toThrow(why);
});
