import { expect, test } from 'vitest';
import { LiveConfig } from './app-live.ts';
import { type Config, parseConfig } from './config.ts';

function configOf(sip: object, env: Record<string, string> = {}): Config {
  const agent = { providers: [{ openai: {} }] };
  const result = parseConfig(JSON.stringify({ sip, agent }), {
    env: { OPENAI_API_KEY: 'key', ...env },
    readFile: () => '',
    addresses: [],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const users = [
  { name: 'ann', passwordEnv: 'ANN' },
  { name: 'bob', passwordEnv: 'BOB' },
];
const guarded = { auth: { realm: 'parley', users } };

test('without ranges everybody is accepted, with them only who is in one', () => {
  const live = new LiveConfig(configOf({}));
  expect(live.accepts('192.0.2.1')).toBe(true);
  live.use(configOf({ sourceRanges: ['198.51.100.0/24'] }));
  expect([live.accepts('192.0.2.1'), live.accepts('198.51.100.9')]).toEqual([false, true]);
  live.use(configOf({}));
  expect(live.accepts('192.0.2.1')).toBe(true);
});

test('passwords are those of now', () => {
  const live = new LiveConfig(configOf(guarded, { ANN: 'a', BOB: 'b' }));
  expect([live.passwordOf('bob'), live.passwordOf('eve')]).toEqual(['b', undefined]);
  live.use(configOf({ auth: { realm: 'parley', users: users.slice(1) } }, { BOB: 'new' }));
  expect([live.passwordOf('bob'), live.passwordOf('ann')]).toEqual(['new', undefined]);
});

test('a file that asks for no digest any more leaves the passwords until the restart', () => {
  const live = new LiveConfig(configOf(guarded, { ANN: 'a', BOB: 'b' }));
  live.use(configOf({}));
  expect(live.passwordOf('ann')).toBe('a');
});
