import { expect, test } from 'vitest';
import type { Node, Pod } from '../../kube/kinds.ts';
import { viewPod } from './pod-view.ts';
import { report, start } from './world.case.ts';

type Container = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

interface Parts {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: string;
  readonly container?: Partial<Container>;
  readonly deleted?: boolean;
  readonly draining?: boolean;
  /** Since when the scheduler says this, s before now. */
  readonly unscheduled?: { readonly message: string; readonly since: number };
}

function podOf({ node = 'n1', container, unscheduled, ...parts }: Parts): Pod {
  return {
    metadata: {
      name: 'pizza-0a1b2c3d-7',
      uid: 'u7',
      resourceVersion: '42',
      creationTimestamp: at(-3600),
      labels: { 'parley.dev/slot': '3', 'parley.dev/revision': '0a1b2c3d' },
      annotations: {
        'parley.dev/content': 'c1',
        'parley.dev/desired-state': parts.draining ? 'Draining' : 'Serving',
        ...(parts.draining ? { 'parley.dev/drain-began': at(-60) } : {}),
      },
      ...(parts.deleted ? { deletionTimestamp: at(0) } : {}),
    },
    spec: { containers: [], ...(unscheduled ? {} : { nodeName: node }) },
    status: {
      phase: parts.phase ?? 'Running',
      conditions: [
        { type: 'Ready', status: parts.ready ?? 'False' },
        ...(unscheduled
          ? [
              {
                type: 'PodScheduled',
                status: 'False',
                reason: 'Unschedulable',
                message: unscheduled.message,
                lastTransitionTime: at(-unscheduled.since),
              },
            ]
          : []),
      ],
      containerStatuses: container
        ? [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, ...container }]
        : [],
    },
  };
}

function nodeOf(ready: string, taints: { key: string; effect: string }[] = []): Node {
  return { spec: { taints }, status: { conditions: [{ type: 'Ready', status: ready }] } };
}

const nodes: Record<string, Node> = {
  n1: nodeOf('True'),
  n2: nodeOf('Unknown'),
  n3: nodeOf('Unknown', [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]),
};

const running = { state: { running: {} } };
const taken = { exitCode: 98 };
const noPorts =
  "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";

const context = { now: start, nodeOf: (name: string) => nodes[name], report: undefined };

test.each<{ name: string; parts: Parts; want: string }>([
  { name: 'no container yet', parts: {}, want: 'waiting' },
  {
    name: 'an image that is pulled',
    parts: { container: { state: { waiting: {} } } },
    want: 'waiting',
  },
  { name: 'a container that starts', parts: { container: running }, want: 'starting' },
  { name: 'a container that crashed', parts: { container: { restartCount: 1 } }, want: 'starting' },
  { name: 'a Ready pod', parts: { container: running, ready: 'True' }, want: 'ready' },
  {
    name: 'a container that found its ports taken',
    parts: { container: { state: { terminated: taken } } },
    want: 'port-taken',
  },
  {
    name: 'the same, started again',
    parts: { container: { ...running, restartCount: 1, lastState: { terminated: taken } } },
    want: 'port-taken',
  },
  {
    name: 'the same, once it got them',
    parts: {
      container: { ...running, ready: true, lastState: { terminated: taken } },
      ready: 'True',
    },
    want: 'ready',
  },
  { name: 'an evicted pod', parts: { phase: 'Failed' }, want: 'ended' },
  { name: 'a deleted pod', parts: { container: running, deleted: true }, want: 'terminating' },
  { name: 'a node that is not heard of', parts: { node: 'n2', ready: 'True' }, want: 'lost' },
  {
    name: 'a deleted pod on such a node',
    parts: { node: 'n2', deleted: true },
    want: 'terminating',
  },
  { name: 'a node out of service', parts: { node: 'n3', deleted: true }, want: 'gone' },
  { name: 'a node that is not there', parts: { node: 'n9' }, want: 'gone' },
  {
    name: 'no ports for long',
    parts: { unscheduled: { message: noPorts, since: 11 } },
    want: 'unplaceable',
  },
  {
    name: 'no ports just now',
    parts: { unscheduled: { message: noPorts, since: 9 } },
    want: 'waiting',
  },
  {
    name: 'no memory for long',
    parts: { unscheduled: { message: '0/1 nodes: Insufficient memory', since: 99 } },
    want: 'waiting',
  },
])('$name: $want', ({ parts, want }) => {
  expect(viewPod(podOf(parts), context).state).toBe(want);
});

test('a node that was bound to a moment ago may not be known yet', () => {
  const fresh = podOf({ node: 'n9' });
  const pod = { ...fresh, metadata: { ...fresh.metadata, creationTimestamp: at(-1) } };
  expect(viewPod(pod, context).state).toBe('waiting');
});

test('a pod that is full is not Ready for kubelet, but serves', () => {
  const pod = podOf({ container: running });
  expect(viewPod(pod, { ...context, report: report(50) }).state).toBe('ready');
});

test('a draining pod with calls is not taken for a serving one', () => {
  const pod = podOf({ container: running, draining: true });
  const view = viewPod(pod, { ...context, report: report(50, true) });
  expect(view).toMatchObject({ state: 'starting', drainBegan: start - 60_000, isRunning: true });
});

test('what it is called and labelled says the rest', () => {
  expect(
    viewPod(podOf({ container: { ...running, restartCount: 2 }, ready: 'True' }), context),
  ).toEqual({
    name: 'pizza-0a1b2c3d-7',
    uid: 'u7',
    resourceVersion: '42',
    ordinal: 7,
    slot: 3,
    node: 'n1',
    revision: '0a1b2c3d',
    content: 'c1',
    state: 'ready',
    isRunning: true,
    restarts: 2,
    endedAt: undefined,
    drainBegan: undefined,
    report: undefined,
  });
});
