import { expect, test } from 'vitest';
import { describeConfig, parseConfig } from '../config.ts';

const sources = { env: { KEY_A: 'key-a' }, readFile: () => '', addresses: [] };
const openai = '{openai: {apiKeyEnv: KEY_A}}';

function problemsOf(text: string): string[] {
  const result = parseConfig(text, sources);
  return 'problems' in result
    ? result.problems.map(({ path, reason }) => `${path}: ${reason}`)
    : [];
}

test('each agent has its own secrets, and a disabled one needs none', () => {
  const text = `agents:
- {name: a, providers: [${openai}]}
- {name: b, disabled: true, providers: [{openai: {apiKeyEnv: NOT_SET}}]}`;
  const result = parseConfig(text, sources);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const { agents, secrets } = result.config;
  expect(agents.map(({ path, isDisabled }) => [path, isDisabled])).toEqual([
    ['agents.0', false],
    ['agents.1', true],
  ]);
  expect(secrets.get('agents.0.providers.0.openai.apiKey')).toBe('key-a');
  expect(describeConfig(result.config)).toContain('disabled: true');
  expect(describeConfig(result.config)).not.toContain('key-a');
});

test.each([
  {
    name: 'a single agent beside a list',
    text: `agent: {providers: [${openai}]}\nagents: [{name: b, providers: [${openai}]}]`,
    want: ['agents: cannot stand beside agent: move that into the list'],
  },
  {
    name: 'a name used twice',
    text: `agents: [{name: b, providers: [${openai}]}, {name: b, providers: [${openai}]}]`,
    want: ['agents.1.name: "b" is used twice'],
  },
  {
    name: 'a pattern that RE2 does not know',
    text: `agents: [{name: b, match: ["(?=a)"], providers: [${openai}]}]`,
    want: ['agents.0.match.0: no RE2 pattern (there is no look-around)'],
  },
  {
    name: 'a header that anybody could send',
    text: `override: {header: {}}\nagent: {providers: [${openai}]}`,
    want: [
      'override.header: anybody could send it: set its sourceRanges, sip.sourceRanges or sip.auth',
    ],
  },
  {
    name: 'a transfer to nowhere',
    text: `agent: {providers: [${openai}], tools: [{name: t, transfer: {destinations: [{name: a, to: "sip:"}]}}]}`,
    want: [
      'agent.tools.0.transfer.destinations.0.to: expected a URI, as sip:kitchen@192.0.2.7 or tel:+15551234',
    ],
  },
])('$name is refused', ({ text, want }) => {
  expect(problemsOf(text)).toEqual(want);
});

test.each(['sip:kitchen@192.0.2.7', 'sips:pbx.example', 'sip:[2001:db8::1]:5060', 'tel:+1555'])(
  'a transfer may lead to %s',
  (to) => {
    const tool = `{name: t, transfer: {destinations: [{name: a, to: "${to}"}]}}`;
    expect(problemsOf(`agent: {providers: [${openai}], tools: [${tool}]}`)).toEqual([]);
  },
);
