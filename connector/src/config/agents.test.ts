import { expect, test } from 'vitest';
import { agentSchema } from '../contract/agent.ts';
import { chooseAgent } from './agents.ts';

const one = (name: string, match: string[] = [], isDisabled = false) => ({
  agent: agentSchema.parse({ name, providers: [{ openai: {} }] }),
  match,
  isDisabled,
});

const agents = [
  one('sales', ['1[0-9]{2}', 'sal']),
  one('pizza', ['10', '^\\+49']),
  one('closed', ['9'], true),
  one('support'),
];

test.each([
  { user: '123', want: 'sales by match', why: 'a pattern' },
  { user: '10', want: 'pizza by match', why: 'the first that matches' },
  { user: '1000', want: 'sales by match', why: 'a pattern need not reach to the end' },
  { user: 'Salsa', want: 'sales by match', why: 'the user is in lower case' },
  { user: '+4930123', want: 'pizza by match', why: 'an anchored pattern' },
  { user: 'SUPPORT', want: 'support by name', why: 'a name' },
])('$user is for $want: $why', ({ user, want }) => {
  const choice = chooseAgent(agents, user);
  expect(`${choice?.chosen.agent.name} by ${choice?.by}`).toBe(want);
});

test('a pattern must match from the beginning', () => {
  expect(chooseAgent(agents, '0123')?.by).toBe('hash');
});

test('whoever is left goes to an agent by a hash that never differs', () => {
  const users = Array.from({ length: 12 }, (_, index) => `x${index}`);
  const names = users.map((user) => chooseAgent(agents, user)?.chosen.agent.name);
  // Written down: another process, or a later version, must come to the same.
  expect(names.join(' ')).toBe(
    'pizza pizza support pizza sales pizza pizza sales support sales support pizza',
  );
  expect(new Set(names)).toEqual(new Set(['sales', 'pizza', 'support']));
});

test('a disabled agent takes no calls, and without another there is none', () => {
  expect(chooseAgent(agents, '9')?.chosen.agent.name).not.toBe('closed');
  expect(chooseAgent(agents, 'closed')?.by).toBe('hash');
  expect(chooseAgent([one('closed', [], true)], 'closed')).toBeUndefined();
});
