import { afterAll, expect, inject, test } from 'vitest';
import { nodesOf } from '../../cluster/layout.ts';
import { powerCut, powerOn, untilReady } from '../../cluster/node.ts';
import { pidOf, until } from '../../cluster/shell.ts';
import { isReady, type Pod, podsOf } from '../../cluster/voice-agent.ts';
import { greeting, useSite } from './site.ts';

const site = useSite('node-loss');
const { isOurs } = inject('target');

afterAll(async () => {
  if (!isOurs) return;
  const since = Date.now();
  for (const node of nodesOf(3)) {
    if (pidOf(node.name) !== undefined) continue;
    powerOn(node);
    await untilReady(node, since);
  }
});

test.runIf(isOurs)('a node loses its power: its pod is replaced on another node', async () => {
  const [lost] = await site.open(await site.pizza());
  const node = nodesOf(3).find(({ name }) => name === lost!.spec.nodeName);
  const since = performance.now();
  await powerCut(node!);
  let found: Pod | undefined;
  await until('a pod on another node', 90_000, async () => {
    const pods = await podsOf(site.kubectl, 'pizza');
    found = pods.find((pod) => isReady(pod) && pod.spec.nodeName !== node!.name);
    return found !== undefined;
  });
  const took = (performance.now() - since) / 1000;
  console.log(`measured: power cut of a node to its pod's replacement ready ${took.toFixed(1)} s`);
  const call = await site.caller.dial(found!);
  expect(await site.caller.hears(call)).toBe(greeting);
  await call.hangUp();
});
