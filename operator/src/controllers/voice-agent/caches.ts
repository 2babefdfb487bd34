import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import { voiceAgentSpec } from '../../api/voice-agent-spec.ts';
import { type Cache, type CacheOptions, createCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { byNode } from '../../kube/indexes.ts';
import {
  type ConfigMap,
  configMaps,
  type Node,
  nodes,
  type Pod,
  pods,
  type Secret,
  secrets,
} from '../../kube/kinds.ts';
import { controllerOf, type KubeObject, type ObjectKey } from '../../kube/object.ts';
import { agentLabel } from '../../pods/names.ts';
import { keysBySecret } from '../../pods/secret-refs.ts';
import { type VoiceAgentObject, voiceAgents } from './resource.ts';

/** One kind in some namespaces or in all: a cache for each. */
interface Lookup<T extends KubeObject, Index extends string = never> {
  readonly caches: readonly Cache<T, Index>[];
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
  by(index: Index, value: string): readonly T[];
}

/** All that decisions about VoiceAgents are made from. */
export interface VoiceAgentCaches {
  /** By `namespace/name` of the Secrets they refer to. */
  readonly agents: Lookup<VoiceAgentObject, 'secret'>;
  /** Pods of all agents; by key of the agent, and by node. */
  readonly pods: Lookup<Pod, 'agent' | 'node'>;
  readonly nodes: Lookup<Node>;
  readonly secrets: Lookup<Secret>;
  /** Those of agents. */
  readonly configMaps: Lookup<ConfigMap>;
}

export interface CacheContext {
  readonly client: Pick<KubeClient, 'listPage' | 'watch'>;
  /** Empty: all of them. */
  readonly namespaces: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export function createVoiceAgentCaches(context: CacheContext): VoiceAgentCaches {
  const ofAgents = { labelSelector: agentLabel };
  return {
    agents: lookup(context, { kind: voiceAgents, indexes: { secret: secretsOf } }),
    pods: lookup(context, {
      kind: pods,
      selection: ofAgents,
      indexes: { agent: agentOf, node: byNode },
    }),
    nodes: lookup({ ...context, namespaces: [] }, { kind: nodes }),
    secrets: lookup(context, { kind: secrets }),
    configMaps: lookup(context, { kind: configMaps, selection: ofAgents }),
  };
}

/** Each of them, to be started and stopped. */
export function cachesOf(all: VoiceAgentCaches) {
  return [
    ...all.agents.caches,
    ...all.pods.caches,
    ...all.nodes.caches,
    ...all.secrets.caches,
    ...all.configMaps.caches,
  ];
}

/** Key of the agent that a pod, ConfigMap or Secret belongs to. */
export function agentOf(object: KubeObject): ObjectKey[] {
  const { namespace, labels } = object.metadata ?? {};
  const name = labels?.[agentLabel] ?? controllerOf(object)?.name;
  return name === undefined ? [] : [`${namespace}/${name}`];
}

function secretsOf(agent: VoiceAgentObject): ObjectKey[] {
  const spec = voiceAgentSpec.safeParse(agent.spec);
  if (!spec.success) return [];
  return [...keysBySecret(spec.data).keys()].map((name) => `${agent.metadata?.namespace}/${name}`);
}

function lookup<T extends KubeObject, Index extends string = never>(
  { namespaces, ...context }: CacheContext,
  options: Pick<CacheOptions<T, Index>, 'kind' | 'selection' | 'indexes'>,
): Lookup<T, Index> {
  const selections =
    namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
  const caches = selections.map((selection) =>
    createCache<T, Index>({
      ...context,
      ...options,
      selection: { ...options.selection, ...selection },
    }),
  );
  return {
    caches,
    get: (key) => caches.map((cache) => cache.get(key)).find((found) => found !== undefined),
    list: () => caches.flatMap((cache) => cache.list()),
    by: (index, value) => caches.flatMap((cache) => cache.by(index, value)),
  };
}
