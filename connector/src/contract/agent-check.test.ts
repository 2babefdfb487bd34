import { expect, test } from 'vitest';
import { agentSchema } from './agent.ts';
import { checkAgent } from './agent-check.ts';

const order = {
  name: 'order',
  phrases: ['I want {size} pizza'],
  reply: 'A {size} pizza, then.',
  tool: { name: 'kitchen', arguments: { destination: 'oven', note: 'size {size}' } },
  next: ['bye'],
};

const bye = { name: 'bye', phrases: ['goodbye'], tool: { name: 'hang_up' } };

const tools = [
  { name: 'hang_up', hangUp: {} },
  { name: 'kitchen', transfer: { destinations: [{ name: 'oven', to: 'sip:oven@example.com' }] } },
];

function problems(over: { intents?: object[]; digits?: object; tools?: object[] } = {}): string[] {
  const local = {
    slots: { size: ['small', 'large'] },
    intents: over.intents ?? [order, bye],
    digits: over.digits ?? { 0: 'bye' },
  };
  const agent = agentSchema.parse({ providers: [{ local }], tools: over.tools ?? tools });
  return checkAgent(agent).map(({ path, reason }) => `${path.join('.')}: ${reason}`);
}

const at = 'providers.0.local';

test('an agent whose references all lead somewhere has no problem', () => {
  expect(problems()).toEqual([]);
});

test.each([
  {
    name: 'a tool that does not exist',
    given: { intents: [{ ...bye, tool: { name: 'hangup' } }], digits: {} },
    want: [`${at}.intents.0.tool.name: no tool is called "hangup"; there are hang_up, kitchen`],
  },
  {
    name: 'a tool where none is defined',
    given: { intents: [bye], tools: [] },
    want: [`${at}.intents.0.tool.name: no tool is called "hang_up"; none is defined`],
  },
  {
    name: 'an intent that should follow',
    given: { intents: [{ ...bye, next: ['bye', 'more'] }] },
    want: [`${at}.intents.0.next.1: no intent is called "more"; there are bye`],
  },
  {
    name: 'the intent of a key',
    given: { digits: { 1: 'bye', 2: 'sales' } },
    want: [`${at}.digits.2: no intent is called "sales"; there are order, bye`],
  },
  {
    name: 'a slot in a phrase, a reply and an argument',
    given: {
      intents: [
        {
          name: 'a',
          phrases: ['one', 'a {colour} one'],
          reply: '{taste}',
          tool: { name: 'hang_up', arguments: { x: '{smell}' } },
        },
      ],
      digits: {},
    },
    want: [
      `${at}.intents.0.phrases.1: no slot is called "colour"; there are size`,
      `${at}.intents.0.reply: no slot is called "taste"; there are size`,
      `${at}.intents.0.tool.arguments.x: no slot is called "smell"; there are size`,
    ],
  },
  {
    name: 'the destination of a transfer',
    given: {
      intents: [{ ...bye, tool: { name: 'kitchen', arguments: { destination: 'cellar' } } }],
      digits: {},
    },
    want: [
      `${at}.intents.0.tool.arguments.destination: no destination is called "cellar"; there are oven`,
    ],
  },
  {
    name: 'names used twice',
    given: { intents: [bye, bye], tools: [...tools, { name: 'hang_up', hangUp: {} }] },
    want: ['tools.2.name: "hang_up" is used twice', `${at}.intents.1.name: "bye" is used twice`],
  },
  {
    name: 'a tool whose parameters are no object',
    given: {
      tools: [
        ...tools,
        { name: 'x', http: { url: 'https://example.com', parametersSchema: { type: 'string' } } },
      ],
    },
    want: ['tools.2.http.parametersSchema.type: must be "object": a tool takes named arguments'],
  },
])('$name: reported with its place', ({ given, want }) => {
  expect(problems(given)).toEqual(want);
});

test('a destination taken from a slot is left to the call', () => {
  const intent = { ...order, tool: { name: 'kitchen', arguments: { destination: '{size}' } } };
  expect(problems({ intents: [intent, bye] })).toEqual([]);
});
