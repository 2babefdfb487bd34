import { expect, test } from 'vitest';
import { until } from '../../cluster/shell.ts';
import { PodApi, podsOf } from '../../cluster/voice-agent.ts';
import { greeting, order, orderReply, otherGreeting, useSite } from './site.ts';

const site = useSite('answer');

test('kubectl apply, and the phone is answered', async () => {
  const [pod] = await site.open(await site.pizza());
  const call = await site.caller.dial(pod!);
  expect(await site.caller.hears(call)).toBe(greeting);
  expect(await site.caller.ask(call, order)).toBe(orderReply);
  await call.hangUp();
  expect(call.media.figures.lost).toBe(0);
});

test('an edited greeting is heard by the next call, without a restart', async () => {
  const [before] = await site.open(await site.pizza());
  const api = await PodApi.of(site.kubectl, 'pizza');
  const { revision } = await api.status(before!);
  const edited = performance.now();
  await site.kubectl.patch('voiceagent', 'pizza', { spec: { greeting: otherGreeting } });
  await until('the new configuration to be in use', 10_000, async () => {
    return (await api.status(before!)).revision !== revision;
  });
  const took = performance.now() - edited;
  console.log(`measured: edit of a VoiceAgent to its use by the pod ${took.toFixed(0)} ms`);
  const call = await site.caller.dial(before!);
  expect(await site.caller.hears(call)).toBe(otherGreeting);
  await call.hangUp();
  const pods = await podsOf(site.kubectl, 'pizza');
  expect(pods.map(({ metadata }) => metadata.uid)).toEqual([before!.metadata.uid]);
  expect(pods[0]!.status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
});
