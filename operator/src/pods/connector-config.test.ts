import { expect, test } from 'vitest';
import { specOf } from './agent.case.ts';
import { connectorConfig } from './connector-config.ts';

function fileOf(overrides: object = {}): Record<string, unknown> {
  const config = connectorConfig('pizza', specOf(overrides));
  if ('problems' in config) throw new Error(config.problems.join('; '));
  return JSON.parse(config.text) as Record<string, unknown>;
}

function revisionOf(overrides: object = {}): unknown {
  return fileOf(overrides)['revision'];
}

test('Secrets become the files that are mounted, in the shape of a standalone file', () => {
  const file = fileOf({
    maxCallsPerPod: 20,
    tools: [
      {
        name: 'order_status',
        http: { url: 'https://a.example/', headersSecretRef: { name: 'shop', key: 'headers' } },
      },
    ],
  });
  expect(file).toMatchObject({
    sip: { sourceRanges: ['198.51.100.0/24'] },
    http: { tokenFile: '/etc/parley/token/token' },
    drain: { timeoutSeconds: 3600 },
    agent: {
      name: 'pizza',
      maxCalls: 20,
      providers: [{ openai: { apiKeyFile: '/etc/parley/secrets/openai/key' } }],
      tools: [{ http: { headersFile: '/etc/parley/secrets/shop/headers' } }],
    },
  });
  expect(JSON.stringify(file)).not.toContain('SecretRef');
});

test('its revision is that of its content', () => {
  expect(revisionOf()).toBe(revisionOf());
  expect(revisionOf()).toBe(revisionOf({ replicas: 5 }));
  expect(revisionOf()).not.toBe(revisionOf({ greeting: 'Hello.' }));
});

const intent = { name: 'order', phrases: ['a {size} pizza'] };

test.each([
  {
    name: 'a slot that is not defined',
    spec: { providers: [{ local: { intents: [intent] } }] },
    problem:
      'spec.providers[0].local.intents[0].phrases[0]: no slot is called "size"; none is defined',
  },
  {
    name: 'parameters that are no object',
    spec: {
      tools: [
        { name: 'a', http: { url: 'https://a.example/', parametersSchema: { type: 'string' } } },
      ],
    },
    problem:
      'spec.tools[0].http.parametersSchema.type: must be "object": a tool takes named arguments',
  },
  {
    name: 'a URL that no parser takes',
    spec: { tools: [{ name: 'a', http: { url: 'https://a.example:99999/' } }] },
    problem: 'spec.tools[0].http.url: Invalid URL',
  },
])('$name is refused by field', ({ spec, problem }) => {
  expect(connectorConfig('pizza', specOf(spec))).toEqual({ problems: [problem] });
});
