import { keyOf } from '../../kube/object.ts';
import type { ControllerOptions } from '../../runtime/controller.ts';
import { type Controller, createController } from '../../runtime/controller.ts';
import { agentOf } from './caches.ts';
import { type ReconcilerOptions, VoiceAgentReconciler } from './reconcile.ts';

export type VoiceAgentControllerOptions = ReconcilerOptions &
  Pick<ControllerOptions, 'mayWrite' | 'metrics'>;

/** Agents asked at once; most of a reconcile is waiting for pods. */
const workers = 8;

/** Looks at an agent when it, its pods, its Secrets or the nodes of its pods change. */
export function createVoiceAgentController(options: VoiceAgentControllerOptions): Controller {
  const { caches, reports, written, clock, log, mayWrite, metrics } = options;
  const reconciler = new VoiceAgentReconciler(options);
  const controller = createController({
    name: 'voice-agent',
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
    workers,
    clock,
    log,
    ...(mayWrite ? { mayWrite } : {}),
    ...(metrics ? { metrics } : {}),
  });
  for (const cache of caches.agents.caches) controller.watch(cache, (agent) => [keyOf(agent)]);
  for (const cache of caches.pods.caches) {
    controller.watch(cache, agentOf);
    cache.onChange(({ before, after }) => {
      const uid = after ? undefined : before?.metadata?.uid;
      if (uid === undefined) return;
      reports.forget(uid);
      written.forget(uid);
    });
  }
  for (const cache of caches.secrets.caches)
    controller.watch(cache, (secret) => [
      ...agentOf(secret),
      ...caches.agents.by('secret', keyOf(secret)).map(keyOf),
    ]);
  for (const cache of caches.configMaps.caches) controller.watch(cache, agentOf);
  for (const cache of caches.nodes.caches)
    controller.watch(cache, (node) =>
      caches.pods.by('node', node.metadata?.name ?? '').flatMap(agentOf),
    );
  return controller;
}
