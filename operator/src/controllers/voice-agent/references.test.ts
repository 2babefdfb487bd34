import { expect, test } from 'vitest';
import { specOf } from '../../pods/agent.case.ts';
import { checkReferences, secretVersions } from './references.ts';

const ref = { name: 'openai', key: 'key' };
const secret = (data: Record<string, string>, resourceVersion = '1') => ({
  metadata: { name: 'openai', uid: 'u', resourceVersion },
  data,
});

test.each([
  { name: 'there', found: secret({ key: 'eA==' }), want: [] },
  {
    name: 'not there',
    found: undefined,
    want: ['spec.providers[0].openai.apiKeySecretRef: there is no Secret "openai"'],
  },
  {
    name: 'there without the key',
    found: secret({ other: 'eA==' }),
    want: [
      'spec.providers[0].openai.apiKeySecretRef: Secret "openai" has nothing under the key "key"',
    ],
  },
  {
    name: 'there with nothing in it',
    found: secret({ key: '' }),
    want: [
      'spec.providers[0].openai.apiKeySecretRef: Secret "openai" has nothing under the key "key"',
    ],
  },
])('a Secret that is $name', ({ found, want }) => {
  const problems = checkReferences(
    specOf({ providers: [{ openai: { apiKeySecretRef: ref } }] }),
    () => found,
  );
  expect(problems.map(({ message }) => message)).toEqual(want);
});

test('an agent without Secrets refers to none', () => {
  const spec = specOf({ providers: [{ local: { intents: [{ name: 'a', phrases: ['b'] }] } }] });
  expect(checkReferences(spec, () => undefined)).toEqual([]);
});

const versions = (version: string) => secretVersions(specOf(), () => secret({ key: 'x' }, version));

test('a changed Secret is another version', () => {
  expect(versions('1')).not.toEqual(versions('2'));
  expect(versions('1')).toEqual(versions('1'));
});
