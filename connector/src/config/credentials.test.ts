import { expect, test } from 'vitest';
import { parseConfig } from '../config.ts';

/** A configuration with these credentials; the password is in PASSWORD, or in the file /password. */
function read(credentials: object) {
  const providers = [{ openai: { url: 'ws://127.0.0.1:1' } }];
  const text = JSON.stringify({
    sip: { listen: ['udp://127.0.0.1:5060'], credentials },
    agent: { providers },
  });
  return parseConfig(text, {
    env: { PASSWORD: 'from env' },
    readFile: () => 'from file\n',
    addresses: ['127.0.0.1'],
  });
}

test('passwords come from the environment and from files', () => {
  const result = read([
    { realm: 'trunk', user: 'a', passwordEnv: 'PASSWORD' },
    { user: 'b', passwordFile: '/password' },
  ]);
  if (!('config' in result)) throw new Error(JSON.stringify(result.problems));
  const { secrets } = result.config;
  expect(secrets.get('sip.credentials.0.password')).toBe('from env');
  expect(secrets.get('sip.credentials.1.password')).toBe('from file');
});

test.each([
  { name: 'no password', given: { user: 'a' }, reason: 'exactly one of' },
  {
    name: 'two passwords',
    given: { user: 'a', passwordEnv: 'PASSWORD', passwordFile: '/password' },
    reason: 'exactly one of',
  },
  { name: 'a variable that is not set', given: { user: 'a', passwordEnv: 'NONE' }, reason: 'NONE' },
])('$name is a problem', ({ given, reason }) => {
  const result = read([given]);
  const problems = 'problems' in result ? result.problems : [];
  expect(problems.map((each) => `${each.path}: ${each.reason}`)).toEqual([
    expect.stringMatching(new RegExp(`^sip.credentials.0.*: .*${reason}`)),
  ]);
});
