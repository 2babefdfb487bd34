import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { releaseNamespace } from '../../cluster/release.ts';
import { until } from '../../cluster/shell.ts';
import { isReady, type Pod, podsOf } from '../../cluster/voice-agent.ts';
import type { Call } from '../../phone/call.ts';
import { greeting, order, orderReply, specials, specialsReply, useSite } from './site.ts';

const site = useSite('scale');

function scale(replicas: number): Promise<string> {
  return site.kubectl.run(['scale', 'voiceagent/pizza', `--replicas=${replicas}`]);
}

async function untilPods(count: number): Promise<Pod[]> {
  let pods: Pod[] = [];
  await until(`${count} pods`, 90_000, async () => {
    pods = await podsOf(site.kubectl, 'pizza');
    return pods.length === count && pods.every(isReady);
  });
  return pods;
}

/** The longest time without a packet from the agent, ms. */
function longestGap(call: Call): number {
  const times = call.media.hearing.frames.map(({ at }) => at);
  return Math.max(0, ...times.slice(1).map((at, index) => at - times[index]!));
}

async function killOperator(): Promise<void> {
  const options = ['--selector', 'app.kubernetes.io/component=operator', '--grace-period=0'];
  await site.kubectl.in(releaseNamespace).run(['delete', 'pods', '--force', ...options]);
}

test('scaled 1 to 3 to 1, its operator killed meanwhile: a call lives through it', async () => {
  const [first] = await site.open(await site.pizza());
  const call = await site.caller.dial(first!);
  expect(await site.caller.hears(call)).toBe(greeting);
  await scale(3);
  await untilPods(3);
  expect(await site.caller.ask(call, order)).toBe(orderReply);
  await killOperator();
  await scale(1);
  const [left, ...more] = await untilPods(1);
  expect(more).toEqual([]);
  expect(left!.metadata.uid).toBe(first!.metadata.uid);
  expect(await site.caller.ask(call, specials)).toBe(specialsReply);
  expect(call.isEnded).toBe(false);
  console.log(
    `measured: longest silence of RTP through all of it ${longestGap(call).toFixed(0)} ms`,
  );
  expect(longestGap(call)).toBeLessThan(1000);
  expect(call.media.figures.lost).toBe(0);
  await call.hangUp();
});

test('a pod with a call is drained, not deleted: the call ends when the caller wants', async () => {
  const [pod] = await site.open(await site.pizza());
  const call = await site.caller.dial(pod!);
  expect(await site.caller.hears(call)).toBe(greeting);
  await scale(0);
  await until('the pod to drain', 30_000, async () => {
    const [one] = await podsOf(site.kubectl, 'pizza');
    return one !== undefined && !isReady(one);
  });
  await delay(3000);
  expect(await site.caller.ask(call, order)).toBe(orderReply);
  await call.hangUp();
  await untilPods(0);
});
