import type { PodOptions } from '../api/pod-options.ts';
import type { Node, PodSpec } from '../kube/kinds.ts';
import { agentLabel } from './names.ts';

type Toleration = NonNullable<PodSpec['tolerations']>[number];

/**
 * A node that is not heard of is no reason to end the calls on it: kubelet may only be restarting. The
 * operator replaces such pods elsewhere at once, and when the node is back, drains what is too many.
 */
const patience: readonly Toleration[] = ['not-ready', 'unreachable'].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists',
  effect: 'NoExecute',
}));

/** The part of a pod's spec that says where it runs. */
export function placementOf(agent: string, options: PodOptions = {}): Partial<PodSpec> {
  const { nodeSelector, affinity, priorityClassName, topologySpreadConstraints: spreads } = options;
  return {
    tolerations: tolerationsOf(options),
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(affinity ? { affinity: definedOf(affinity) } : {}),
    ...(priorityClassName ? { priorityClassName } : {}),
    ...(spreads
      ? {
          topologySpreadConstraints: spreads.map((spread) => ({
            ...spread,
            labelSelector: { matchLabels: { [agentLabel]: agent } },
          })),
        }
      : {}),
  };
}

function tolerationsOf({ tolerations = [] }: PodOptions): Toleration[] {
  return [...tolerations.map((one) => definedOf(one)), ...patience];
}

/** Without the keys that hold nothing. */
function definedOf(options: object): Record<string, never> {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, never] => entry[1] !== undefined),
  );
}

/** Names of the nodes that could take a pod, as far as selector, taints and readiness say. */
export function nodesFor(options: PodOptions = {}, nodes: readonly Node[]): ReadonlySet<string> {
  const tolerations = tolerationsOf(options);
  const fitting = nodes.filter(
    (node) =>
      isNodeReady(node) &&
      node.spec?.unschedulable !== true &&
      hasLabels(node, options.nodeSelector ?? {}) &&
      (node.spec?.taints ?? []).every(
        (taint) =>
          taint.effect === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint)),
      ),
  );
  return new Set(fitting.map((node) => node.metadata?.name ?? ''));
}

/** Whether the node's kubelet reports, and that it is well. */
export function isNodeReady(node: Node): boolean {
  return (node.status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

/** Somebody made sure that nothing runs there any more (KEP 2268). */
export function isOutOfService(node: Node): boolean {
  return (node.spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/out-of-service');
}

function hasLabels(node: Node, wanted: Readonly<Record<string, string>>): boolean {
  const labels = node.metadata?.labels ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
  if (toleration.key === undefined) return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}
