import { expect, test } from 'vitest';
import { conditionOf, untilAgentReady, type VoiceAgent } from '../../cluster/voice-agent.ts';
import { useSite } from './site.ts';

const site = useSite('refusal');

const refusals = [
  { name: 'no provider', spec: { providers: [] }, want: /spec\.providers/ },
  {
    name: 'a misspelt field',
    spec: { greetings: 'Hello' },
    want: /unknown field "spec\.greetings"/,
  },
  {
    name: 'fewer than no pods',
    spec: { replicas: -1 },
    want: /spec\.replicas.*greater than or equal to 0/s,
  },
  {
    name: 'two providers in one entry',
    spec: {
      providers: [
        {
          openai: { apiKeySecretRef: { name: 'openai', key: 'key' } },
          local: { intents: [{ name: 'hello', phrases: ['hello'] }] },
        },
      ],
    },
    want: /spec\.providers\[0\].*exactly one/s,
  },
  {
    name: 'a source that is no range',
    spec: { direct: { sourceRanges: ['everybody'] } },
    want: /spec\.direct\.sourceRanges\[0\]/,
  },
];

test.each(refusals)(
  '$name is refused with a message that names the field',
  async ({ spec, want }) => {
    const agent = await site.pizza(spec);
    const refusal = site.kubectl.run(['apply', '--filename', '-'], JSON.stringify(agent));
    await expect(refusal).rejects.toThrow(want);
  },
);

function withKey(key: string): object {
  return {
    providers: [
      { openai: { apiKeySecretRef: { name: 'openai', key }, url: 'ws://10.77.0.1:9/v1' } },
    ],
  };
}

async function secret(data: Record<string, string>): Promise<void> {
  await site.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'openai' },
    stringData: data,
  });
}

test('a missing Secret, then a missing key, is said by a condition, and heals', async () => {
  const agent = await site.pizza(withKey('key'));
  await site.kubectl.apply(agent);
  const missing = await site.kubectl.until<VoiceAgent>(
    ['voiceagent', 'pizza'],
    (one) => conditionOf(one, 'ResolvedRefs')?.status === 'False',
  );
  expect(conditionOf(missing, 'ResolvedRefs')?.message).toMatch(/openai/);
  expect(conditionOf(missing, 'Ready')).toMatchObject({
    status: 'False',
    message: conditionOf(missing, 'ResolvedRefs')?.message,
  });
  await secret({ other: 'sk-1' });
  const wrong = await site.kubectl.until<VoiceAgent>(['voiceagent', 'pizza'], (one) =>
    /key/.test(conditionOf(one, 'ResolvedRefs')?.message ?? ''),
  );
  expect(conditionOf(wrong, 'ResolvedRefs')?.status).toBe('False');
  await secret({ key: 'sk-1' });
  await untilAgentReady(site.kubectl, 'pizza');
});
