import { apiVersion, voiceAgentNames } from '../../api/voice-agent.ts';
import { voiceAgentSpec } from '../../api/voice-agent-spec.ts';
import type { Secret } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { type ConnectorConfig, connectorConfig } from '../../pods/connector-config.ts';
import { hashOf } from '../../pods/hash.ts';
import { type Blueprint, podRevision } from '../../pods/pod.ts';
import { checkReferences, type ReferenceProblem, secretVersions } from './references.ts';
import type { VoiceAgentObject } from './resource.ts';

/** What is the same for all pods of this operator. */
export type PodSettings = Pick<Blueprint, 'image' | 'imagePullPolicy' | 'imagePullSecrets'>;

interface SpecProblem {
  readonly reason: 'InvalidSpec' | 'InvalidConfiguration' | 'NameTaken';
  readonly message: string;
}

/** A VoiceAgent and what it refers to, understood. */
export interface AgentReading {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  /** For events. */
  readonly about: KubeObject;
  readonly deletedAt: number | undefined;
  readonly replicas: number;
  readonly drainTimeout: number;
  /** Undefined where the spec makes no sense. */
  readonly blueprint: Blueprint | undefined;
  readonly revision: string | undefined;
  /** Undefined where there are problems. */
  readonly config: ConnectorConfig | undefined;
  readonly problems: readonly SpecProblem[];
  readonly references: readonly ReferenceProblem[];
  readonly secretVersions: readonly string[];
}

export interface ReadContext {
  readonly settings: PodSettings;
  /** In the agent's namespace. */
  readonly findSecret: (name: string) => Secret | undefined;
}

export function readAgent(agent: VoiceAgentObject, context: ReadContext): AgentReading {
  const parsed = voiceAgentSpec.safeParse(agent.spec);
  const base = baseOf(agent);
  if (!parsed.success) return { ...base, ...unreadable(parsed.error.issues) };
  const spec = parsed.data;
  const { name, namespace, uid } = base;
  const blueprint = { name, namespace, uid, spec, ...context.settings };
  const config = connectorConfig(name, spec);
  const problems = 'problems' in config ? config.problems : [];
  return {
    ...base,
    replicas: spec.replicas,
    drainTimeout: spec.drain.timeoutSeconds * 1000,
    blueprint,
    revision: podRevision(blueprint),
    config: 'problems' in config ? undefined : config,
    problems: problems.map((message) => ({ reason: 'InvalidConfiguration', message })),
    references: checkReferences(spec, context.findSecret),
    secretVersions: secretVersions(spec, context.findSecret),
  };
}

/** Names the content of ConfigMap and Secrets; undefined unless all of it is in order. */
export function contentOf(
  { config, references, secretVersions: versions }: AgentReading,
  token: Secret | undefined,
): string | undefined {
  if (!config || references.length > 0 || !token) return undefined;
  const { uid, resourceVersion } = token.metadata ?? {};
  return `${config.revision}-${hashOf([versions, uid, resourceVersion])}`;
}

function baseOf({ metadata = {} }: VoiceAgentObject) {
  const { name = '', namespace = '', uid = '', generation = 0, deletionTimestamp } = metadata;
  return {
    name,
    namespace,
    uid,
    generation,
    about: { apiVersion, kind: voiceAgentNames.kind, metadata },
    deletedAt: deletionTimestamp === undefined ? undefined : Date.parse(deletionTimestamp),
  };
}

/** The API server refuses such a spec; it may be from another version of the schema. */
function unreadable(issues: readonly { path: PropertyKey[]; message: string }[]) {
  return {
    replicas: 0,
    drainTimeout: 3_600_000,
    blueprint: undefined,
    revision: undefined,
    config: undefined,
    problems: issues.map(({ path, message }) => ({
      reason: 'InvalidSpec' as const,
      message: `${['spec', ...path].map(String).join('.')}: ${message}`,
    })),
    references: [],
    secretVersions: [],
  };
}
