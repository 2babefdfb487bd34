import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, inject, onTestFailed } from 'vitest';
import { Caller } from '../../cluster/caller.ts';
import { Kubectl } from '../../cluster/kubectl.ts';
import {
  createNamespace,
  type Images,
  installParley,
  releaseNamespace,
} from '../../cluster/release.ts';
import {
  isReady,
  type Pod,
  podsOf,
  untilAgentReady,
  type VoiceAgent,
} from '../../cluster/voice-agent.ts';

const example = resolve(import.meta.dirname, '../../../examples/pizza-voiceagent.yaml');

export const greeting = 'good morning bella pizza how can i help you';
export const otherGreeting = 'good evening bella pizza how can i help you';
export const order = 'I would like to order a large mushroom pizza please';
export const orderReply = 'one large mushroom pizza it will be ready in twenty minutes';
export const specials = 'What are your specials today?';
export const specialsReply = 'today we recommend the vegetable pizza with fresh mushrooms';

const phrases = [
  greeting,
  otherGreeting,
  'one (small | medium | large) (cheese | mushroom | pepperoni | vegetable) pizza it will be ready in twenty minutes',
  specialsReply,
  'sorry i did not understand that could you say it again',
];

/** A namespace in which Parley is at work, and somebody who calls. */
export interface Site {
  readonly kubectl: Kubectl;
  readonly images: Images;
  readonly caller: Caller;
  /** The example, with other values in its spec. */
  pizza(spec?: object): Promise<VoiceAgent>;
  /** Applies it and waits until it is Ready; its pods. */
  open(agent: VoiceAgent): Promise<Pod[]>;
}

/** Makes a site for the tests of a file, tells what the cluster shows when one fails, and removes it. */
export function useSite(name: string): Site {
  const target = inject('target');
  const kubectl = new Kubectl(target.kubeconfig, `e2e-${name}`);
  const caller = new Caller(phrases);
  beforeAll(async () => {
    await createNamespace(kubectl, kubectl.namespace, 'privileged');
    await Promise.all([installParley(kubectl, target.images), caller.rehearse(order, specials)]);
  });
  beforeEach(() => onTestFailed(async () => console.error(await describe(kubectl))));
  afterAll(async () => {
    await caller.close();
    for (const { metadata } of await kubectl.list('voiceagents'))
      await kubectl.delete('voiceagent', metadata.name);
    await kubectl.delete('namespace', kubectl.namespace);
  });
  return {
    kubectl,
    images: target.images,
    caller,
    async pizza(spec = {}) {
      const text = readFileSync(example, 'utf8');
      const options = ['create', '--dry-run=client', '--output', 'json', '--filename', '-'];
      const agent = JSON.parse(await kubectl.run(options, text)) as VoiceAgent;
      // What a call holds back is to go soon.
      return { ...agent, spec: { ...agent.spec, drain: { timeoutSeconds: 60 }, ...spec } };
    },
    async open(agent) {
      await kubectl.apply(agent);
      await untilAgentReady(kubectl, agent.metadata.name);
      return (await podsOf(kubectl, agent.metadata.name)).filter(isReady);
    },
  };
}

/** What an engineer would look at. */
async function describe(kubectl: Kubectl): Promise<string> {
  const system = kubectl.in(releaseNamespace);
  const looks = [
    kubectl.run(['get', 'voiceagents,pods,configmaps,secrets', '--output', 'wide']),
    kubectl.run(['get', 'voiceagents', '--output', 'jsonpath={.items[*].status}']),
    kubectl.run(['get', 'events', '--sort-by', '.lastTimestamp']),
    kubectl.run([
      'logs',
      '--selector',
      'app.kubernetes.io/part-of=parley',
      '--tail',
      '20',
      '--prefix',
    ]),
    system.run(['get', 'pods', '--output', 'wide']),
    system.run(['logs', '--selector', 'app.kubernetes.io/component=operator', '--tail', '40']),
  ];
  const found = await Promise.allSettled(looks);
  return found
    .map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))
    .join('\n');
}
