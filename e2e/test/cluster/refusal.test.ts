import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { OpenAiSimulator } from '../../../connector/test/support/openai-simulator.ts';
import type { KubeObject } from '../../cluster/kubectl.ts';
import {
  addressToward,
  conditionOf,
  podsOf,
  untilAgentReady,
  type VoiceAgent,
} from '../../cluster/voice-agent.ts';
import { useSite } from './site.ts';

interface KubeNode extends KubeObject {
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
  };
}

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

/** An OpenAI that asks for the key `sk-right`, where pods can reach it. */
async function openAi(): Promise<string> {
  const simulator = await OpenAiSimulator.start({ apiKey: 'sk-right' });
  const local = Number(new URL(simulator.url).port);
  const [node] = await site.kubectl.list<KubeNode>('nodes');
  const nodeAddress = node!.status.addresses.find(({ type }) => type === 'InternalIP')!.address;
  const host = await addressToward(nodeAddress);
  const relay = createServer((socket) => {
    const onward = connect(local, '127.0.0.1');
    pipeline(socket, onward, () => undefined);
    pipeline(onward, socket, () => undefined);
  });
  relay.listen(0, host);
  await once(relay, 'listening');
  onTestFinished(async () => {
    relay.close();
    await simulator.close();
  });
  return `ws://${host}:${(relay.address() as AddressInfo).port}/v1`;
}

async function secret(data: Record<string, string>): Promise<void> {
  await site.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'openai' },
    stringData: data,
  });
}

/** Waits until a condition says False for this reason; returns its message. */
async function falseFor(type: string, reason: string): Promise<string> {
  const agent = await site.kubectl.until<VoiceAgent>(['voiceagent', 'pizza'], (one) => {
    const condition = conditionOf(one, type);
    return condition?.status === 'False' && condition.reason === reason;
  });
  const message = conditionOf(agent, type)?.message ?? '';
  expect(conditionOf(agent, 'Ready')).toMatchObject({ status: 'False', reason, message });
  return message;
}

test('a missing Secret, a missing key and a wrong one are said by conditions, and heal', async () => {
  const apiKeySecretRef = { name: 'openai', key: 'key' };
  const openai = { apiKeySecretRef, url: await openAi() };
  await site.kubectl.apply(await site.pizza({ providers: [{ openai }] }));
  const field = 'spec.providers[0].openai.apiKeySecretRef';
  expect(await falseFor('ResolvedRefs', 'SecretNotFound')).toBe(
    `${field}: there is no Secret "openai"`,
  );
  await secret({ other: 'sk-right' });
  expect(await falseFor('ResolvedRefs', 'SecretKeyNotFound')).toBe(
    `${field}: Secret "openai" has nothing under the key "key"`,
  );
  await secret({ key: 'sk-wrong' });
  expect(await falseFor('ProviderReady', 'Unauthorized')).not.toContain('sk-wrong');
  const [wrong] = await podsOf(site.kubectl, 'pizza');
  await secret({ key: 'sk-right' });
  const fixed = performance.now();
  await untilAgentReady(site.kubectl, 'pizza');
  const took = performance.now() - fixed;
  console.log(`measured: a key is corrected, to Ready ${(took / 1000).toFixed(1)} s`);
  const pods = await podsOf(site.kubectl, 'pizza');
  expect(pods.map(({ metadata }) => metadata.uid)).toEqual([wrong!.metadata.uid]);
});
