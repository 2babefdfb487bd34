import { expect, test } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { type AgentWithSecrets, ProviderPool } from './app-providers.ts';
import { silentLog } from './base/log.ts';
import { parseConfig } from './config.ts';

function agentOf(agent: object, key = 'key'): AgentWithSecrets {
  const result = parseConfig(JSON.stringify({ agent }), {
    env: { OPENAI_API_KEY: key },
    readFile: () => '',
    addresses: [],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const { agents, secrets } = result.config;
  const [first] = agents;
  if (!first) throw new Error('no agent');
  return { ...first, secrets };
}

const pool = () => new ProviderPool({ clock: new FakeClock(), log: silentLog });
const openai = (model: string) => ({ openai: { model } });
const local = { local: { intents: [{ name: 'hi', phrases: ['hello xqzzyw'] }] } };

test('what did not change is the same provider', () => {
  const providers = pool();
  const before = providers.take(agentOf({ providers: [openai('a'), openai('b')] }));
  const after = providers.take(agentOf({ greeting: 'Hi.', providers: [openai('b')] }));
  expect(after.providers[0]).toBe(before.providers[1]);
  before.giveBack();
  const later = providers.take(agentOf({ providers: [openai('b')] }));
  expect(later.providers[0]).toBe(before.providers[1]);
});

test('another setting or key makes another provider', () => {
  const providers = pool();
  const agent = { providers: [openai('a')] };
  const [first] = providers.take(agentOf(agent)).providers;
  const [model] = providers.take(agentOf({ providers: [openai('b')] })).providers;
  const [key] = providers.take(agentOf(agent, 'other')).providers;
  expect(new Set([first, model, key]).size).toBe(3);
});

test('a provider is kept until the last who took it gives it back', () => {
  const providers = pool();
  const agent = agentOf({ providers: [openai('a')] });
  const [first, second] = [providers.take(agent), providers.take(agent)];
  const [provider] = first.providers;
  first.giveBack();
  first.giveBack();
  const third = providers.take(agent);
  expect([second.providers[0], third.providers[0]]).toEqual([provider, provider]);
  second.giveBack();
  third.giveBack();
  expect(providers.take(agent).providers[0]).not.toBe(provider);
});

test('where one cannot be made, the others are not kept', async () => {
  const providers = pool();
  expect(() => providers.take(agentOf({ providers: [openai('a'), local] }))).toThrow('xqzzyw');
  const { providers: taken } = providers.take(agentOf({ providers: [openai('a')] }));
  expect(taken[0]?.health).toBeUndefined();
  await providers.close();
  await providers.close();
});

test('another greeting for one call starts no engines of its own', () => {
  const providers = pool();
  const good = { local: { intents: [{ name: 'hi', phrases: ['hello'] }] } };
  const agent = agentOf({ greeting: 'Good morning.', providers: [good] });
  const first = providers.take(agent);
  const greeted = { ...agent, agent: { ...agent.agent, greeting: 'Hi.' } };
  const second = providers.take({ ...greeted, preparedGreeting: 'Good morning.' });
  expect(second.providers[0]).toBe(first.providers[0]);
  first.giveBack();
  second.giveBack();
});
