import { expect, test } from 'vitest';
import type { Node } from '../kube/kinds.ts';
import { nodesFor, placementOf } from './placement.ts';

interface NodeParts {
  readonly labels?: Record<string, string>;
  readonly taints?: readonly { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
  readonly ready?: string;
}

function node({
  labels = {},
  taints = [],
  unschedulable = false,
  ready = 'True',
}: NodeParts): Node {
  return {
    metadata: { name: 'n1', labels },
    spec: { taints, unschedulable },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  };
}

const gpu = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };

test.each([
  { name: 'a ready node', given: {}, options: {}, want: true },
  { name: 'a node that is not heard of', given: { ready: 'Unknown' }, options: {}, want: false },
  { name: 'a cordoned node', given: { unschedulable: true }, options: {}, want: false },
  { name: 'a tainted node', given: { taints: [gpu] }, options: {}, want: false },
  {
    name: 'a tainted node that is tolerated by value',
    given: { taints: [gpu] },
    options: { tolerations: [{ key: 'gpu', value: 'yes' }] },
    want: true,
  },
  {
    name: 'a tainted node whose other value is tolerated',
    given: { taints: [gpu] },
    options: { tolerations: [{ key: 'gpu', value: 'no' }] },
    want: false,
  },
  {
    name: 'a tainted node when all taints are tolerated',
    given: { taints: [gpu] },
    options: { tolerations: [{ operator: 'Exists' as const }] },
    want: true,
  },
  {
    name: 'a node that is only not preferred',
    given: { taints: [{ ...gpu, effect: 'PreferNoSchedule' }] },
    options: {},
    want: true,
  },
  {
    name: 'a node without the label',
    given: { labels: { zone: 'a' } },
    options: { nodeSelector: { zone: 'b' } },
    want: false,
  },
  {
    name: 'a node with the label',
    given: { labels: { zone: 'b' } },
    options: { nodeSelector: { zone: 'b' } },
    want: true,
  },
])('$name can take a pod: $want', ({ given, options, want }) => {
  expect(nodesFor(options, [node(given)]).has('n1')).toBe(want);
});

test('a node that is not heard of ends no pod', () => {
  expect(placementOf('pizza').tolerations).toEqual([
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  ]);
});

test('pods spread by what is said, counting those of the same agent', () => {
  const topologySpreadConstraints = [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' as const },
  ];
  expect(placementOf('pizza', { topologySpreadConstraints }).topologySpreadConstraints).toEqual([
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { 'parley.dev/voice-agent': 'pizza' } },
    },
  ]);
});
