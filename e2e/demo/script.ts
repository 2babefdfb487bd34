import { setTimeout as delay } from 'node:timers/promises';
import type { Kubectl } from '../cluster/kubectl.ts';
import { until } from '../cluster/shell.ts';
import {
  addressOf,
  addressToward,
  isReady,
  type Pod,
  type PodApi,
  podsOf,
} from '../cluster/voice-agent.ts';
import type { Call } from '../phone/call.ts';
import { Phone } from '../phone/phone.ts';
import type { Person } from '../phone/voice.ts';
import type { ApiCall } from '../talk/connector.ts';
import { Scene } from '../talk/scene.ts';
import type { Screen } from '../talk/screen.ts';

export const lines = {
  order: 'I would like to order a large mushroom pizza please',
  specials: 'What are your specials today?',
  goodbye: 'No thank you, goodbye',
} as const;

/** What examples/pizza-voiceagent.yaml answers. */
const replies = {
  greeting: 'Good morning, Bella Pizza. How can I help you?',
  order: 'One large mushroom pizza. It will be ready in twenty minutes.',
  specials: 'Today we recommend the vegetable pizza with fresh mushrooms.',
  goodbye: 'Thank you for calling Bella Pizza. Goodbye.',
} as const;

/** What the caller can understand, wrong sizes and kinds among it. */
export const heardPhrases: readonly string[] = [
  ...Object.values(replies),
  'One (small | medium | large) (cheese | mushroom | pepperoni | vegetable) pizza it will be ready in twenty minutes',
  'Sorry I did not understand that could you say it again',
];

export interface Cast {
  readonly screen: Screen;
  /** Told what is tried next. */
  readonly onStep: (step: string) => void;
  readonly kubectl: Kubectl;
  readonly api: PodApi;
  readonly caller: Person;
  /** ms between the last sound of the caller and the first of the answer. */
  readonly latencies: number[];
}

/** A whole call to the agent's pod; returns ms from INVITE to 200 OK. */
export async function talk(
  cast: Cast,
  exchanges: readonly (keyof typeof lines)[],
): Promise<number> {
  const [pod] = (await podsOf(cast.kubectl, 'pizza')).filter(isReady);
  if (!pod) throw new Error('no pod of the agent is ready');
  const target = addressOf(pod, 'sip-udp');
  const address = await addressToward(target.split(':')[0] ?? '');
  const phone = await Phone.open({ user: 'caller', address });
  try {
    cast.screen.does(`${address} calls`, `sip:pizza@${target} on node ${pod.spec.nodeName}`);
    cast.onStep('the call is answered');
    const call = await phone.dial(`sip:pizza@${target}`);
    const scene = await answered(cast, { call, pod });
    cast.onStep('the greeting is heard');
    await scene.hear(replies.greeting, 0);
    for (const name of exchanges) {
      cast.onStep(`${name} is understood and answered`);
      await scene.exchange(lines[name], replies[name]);
    }
    cast.onStep('the AI says goodbye and hangs up');
    await scene.exchange(lines.goodbye, replies.goodbye);
    await scene.within(5000, call.ended, 'the AI did not hang up');
    return (call.times.answered ?? 0) - call.times.begun;
  } finally {
    await phone.close();
  }
}

async function answered(cast: Cast, { call, pod }: { call: Call; pod: Pod }): Promise<Scene> {
  const late = delay(10_000, undefined, { ref: false }).then(() => {
    throw new Error('no answer in 10 s');
  });
  await Promise.race([call.answered, late]);
  const { calls } = await cast.api.get<{ calls: { id: string; state: string }[] }>(
    pod,
    '/v1/calls',
  );
  const id = calls.find(({ state }) => state !== 'ended')?.id ?? '';
  const connector = {
    call: (one: string) => cast.api.get<ApiCall>(pod, `/v1/calls/${encodeURIComponent(one)}`),
  };
  return new Scene({ ...cast, connector, call, id });
}

/** Deletes the agent's pod and waits for another to be ready; returns the ms that took. */
export async function losePod({ kubectl, screen, onStep }: Cast): Promise<number> {
  const [pod] = await podsOf(kubectl, 'pizza');
  const name = pod?.metadata.name ?? '';
  screen.does('kubectl delete pod', name);
  onStep('a deleted pod is replaced');
  const began = performance.now();
  await kubectl.run(['delete', 'pod', name, '--wait=false']);
  await until('another pod', 60_000, async () => {
    const pods = await podsOf(kubectl, 'pizza');
    return pods.some((one) => isReady(one) && one.metadata.uid !== pod?.metadata.uid);
  });
  return performance.now() - began;
}
