import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import { pod, report, start, world } from './world.case.ts';
import type { Action, World } from './world.ts';

/** `create 0/1`, `drain pizza-new-1 ScaledDown`, `touch …`. */
function told(action: Action): string {
  if (action.type === 'create') return `create ${action.ordinal} on ${action.slot}`;
  if (action.type === 'release') return 'release';
  const { type, pod: of } = action;
  const why = 'reason' in action ? ` ${action.reason}` : '';
  const grace =
    action.type === 'delete' && action.gracePeriodSeconds !== undefined
      ? ` in ${action.gracePeriodSeconds} s`
      : '';
  return `${type} ${of.revision}-${of.ordinal}${why}${grace}`;
}

const waiting = { state: 'waiting', isRunning: false, report: undefined } as const;
const draining = { drainBegan: start - 1000 } as const;
const old = { revision: 'old' } as const;
const silent = { report: undefined } as const;
const crashing = { state: 'starting', isRunning: false, restarts: 3, report: undefined } as const;

interface Row {
  readonly name: string;
  readonly given: World;
  readonly want: readonly string[];
}

const rows: Row[] = [
  { name: 'all as it should be', given: world([pod(0), pod(1)]), want: [] },
  {
    name: 'a new agent gets its pods, each node one on the lowest slot',
    given: world([], { replicas: 4 }),
    want: ['create 0 on 0', 'create 1 on 0', 'create 2 on 0', 'create 3 on 1'],
  },
  {
    name: 'slots of other agents are left alone',
    given: world([], {
      replicas: 1,
      nodes: new Set(['n1']),
      otherSlots: [
        { slot: 0, node: 'n1' },
        { slot: 1, node: undefined },
      ],
    }),
    want: ['create 0 on 2'],
  },
  {
    name: 'nothing is made while a Secret is missing',
    given: world([], { replicas: 2, content: undefined }),
    want: [],
  },
  {
    name: 'pods that run are left alone while a Secret is missing',
    given: world([pod(0), pod(1, { content: 'c0' })], { content: undefined }),
    want: [],
  },
  {
    name: 'the pod with fewest calls is drained',
    given: world([pod(0, { report: report(3) }), pod(1, { report: report(1) })], { replicas: 1 }),
    want: ['drain new-1 ScaledDown'],
  },
  {
    name: 'of equals the youngest is drained',
    given: world([pod(0), pod(1), pod(2)], { replicas: 1 }),
    want: ['drain new-2 ScaledDown', 'drain new-1 ScaledDown'],
  },
  {
    name: 'a pod that never ran goes at once, before all others',
    given: world([pod(0), pod(1), pod(2, waiting)], { replicas: 2 }),
    want: ['delete new-2 NotRunning'],
  },
  {
    name: 'without reports nothing is scaled down',
    given: world([pod(0, silent), pod(1, silent)], { replicas: 1 }),
    want: [],
  },
  {
    name: 'a drain that is not acknowledged deletes nothing',
    given: world([pod(0), pod(1, draining)], { replicas: 1 }),
    want: [],
  },
  {
    name: 'a draining pod with calls is kept',
    given: world([pod(0), pod(1, { ...draining, report: report(1, true) })], { replicas: 1 }),
    want: [],
  },
  {
    name: 'a drained pod is deleted',
    given: world([pod(0), pod(1, { ...draining, report: report(0, true) })], { replicas: 1 }),
    want: ['delete new-1 Drained'],
  },
  {
    name: 'a draining pod that does not answer is kept, however long',
    given: world([pod(0), pod(1, { drainBegan: 0, report: undefined })], { replicas: 1 }),
    want: [],
  },
  {
    name: 'calls that outlast the drain are ended',
    given: world([pod(0), pod(1, { drainBegan: start - 3_600_000, report: report(1, true) })], {
      replicas: 1,
    }),
    want: ['delete new-1 DrainTimedOut in 30 s'],
  },
  {
    name: 'a drain is taken back before a pod is made, of the one with most calls first',
    given: world(
      [
        pod(0),
        pod(1, { ...draining, report: report(1, true) }),
        pod(2, { ...draining, report: report(2, true) }),
      ],
      { replicas: 2 },
    ),
    want: ['undrain new-2'],
  },
  {
    name: 'a drained pod that is wanted again is not deleted',
    given: world([pod(0), pod(1, { ...draining, report: report(0, true) })], { replicas: 2 }),
    want: ['undrain new-1'],
  },
  {
    name: 'a roll-out begins with a new pod',
    given: world([pod(0, { ...old, node: 'n1' }), pod(1, { ...old, node: 'n2' })]),
    want: ['create 0 on 0'],
  },
  {
    name: 'an old pod drains when a new one is ready, the idle one first',
    given: world([pod(0, { ...old, report: report(2) }), pod(1, old), pod(2)], { replicas: 2 }),
    want: ['drain old-1 RollingOut'],
  },
  {
    name: 'no old pod drains while no new one is ready',
    given: world([pod(0, old), pod(1, old), pod(2, waiting)], { replicas: 2 }),
    want: [],
  },
  {
    name: 'a roll-out stops when the new pods fail',
    given: world([pod(0, old), pod(1, old), pod(2, { ...old, slot: 5 }), pod(3, crashing)], {
      replicas: 5,
    }),
    want: [],
  },
  {
    name: 'old pods serve again when the new ones fail',
    given: world([pod(0, { ...old, ...draining, report: report(2, true) }), pod(1, crashing)], {
      replicas: 1,
    }),
    want: ['undrain old-0'],
  },
  {
    name: 'going back to the old revision takes its drain back',
    given: world([pod(0, { ...old, ...draining }), pod(1)], { replicas: 1, revision: 'old' }),
    want: ['undrain old-0'],
  },
  {
    name: 'changed content is told to all that run',
    given: world([pod(0, { content: 'c0' }), pod(1, { ...old, content: 'c0' }), pod(2)], {
      replicas: 3,
    }),
    want: ['create 1 on 0', 'touch new-0', 'touch old-1'],
  },
  {
    name: 'a pod on a lost node is replaced elsewhere and kept',
    given: world([pod(0), pod(1, { node: 'n2', state: 'lost', report: undefined })], {
      nodes: new Set(['n1', 'n3']),
    }),
    want: ['create 2 on 0'],
  },
  {
    name: 'when the node is back, what is too many is drained',
    given: world([pod(0), pod(1, { node: 'n2' }), pod(2, { report: report(1) })], { replicas: 2 }),
    want: ['drain new-1 ScaledDown'],
  },
  {
    name: 'a pod whose node is gone is removed by force',
    given: world([pod(0), pod(1, { node: 'n9', state: 'gone', report: undefined })]),
    want: ['create 2 on 0', 'delete new-1 NodeGone in 0 s'],
  },
  {
    name: 'a pod that ended is replaced at once and kept for people to see',
    given: world([pod(0, { state: 'ended', isRunning: false, endedAt: start })]),
    want: ['create 1 on 0'],
  },
  {
    name: 'pods that end again and again are not replaced before the hold-off is over',
    given: world(
      [0, 1].map((n) => pod(n, { state: 'ended', isRunning: false, endedAt: start - n })),
      { replicas: 1 },
    ),
    want: [],
  },
  {
    name: 'after the hold-off a pod that ended is removed',
    given: world([pod(0), pod(1, { state: 'ended', isRunning: false, endedAt: start - 60_000 })], {
      replicas: 1,
    }),
    want: ['delete new-1 Ended'],
  },
  {
    name: 'where another program has the ports the next slot is tried',
    given: world([pod(0, { state: 'port-taken', isRunning: false, report: undefined })], {
      nodes: new Set(['n1']),
    }),
    want: ['create 1 on 1'],
  },
  {
    name: 'a pod without ports goes when others serve',
    given: world([pod(0, { state: 'port-taken', isRunning: false, report: undefined }), pod(1)], {
      replicas: 1,
    }),
    want: ['delete new-0 PortTaken'],
  },
  {
    name: 'a pod that no node has ports for gives way to one on another slot',
    given: world([pod(0, { state: 'unplaceable', node: undefined, isRunning: false })], {
      nodes: new Set(['n1']),
      otherSlots: [{ slot: 0, node: 'n1' }],
    }),
    want: ['create 1 on 1'],
  },
  {
    name: 'so it does where nobody here knows who has the ports',
    given: world([pod(0, { state: 'unplaceable', node: undefined, isRunning: false })]),
    want: ['create 1 on 1'],
  },
  {
    name: 'without any slot free, a pod waits for a node',
    given: world([pod(0, { state: 'unplaceable', node: undefined, isRunning: false })], {
      nodes: new Set(),
    }),
    want: [],
  },
  {
    name: 'a terminating pod is no pod',
    given: world([pod(0, { state: 'terminating' })]),
    want: ['create 1 on 0'],
  },
  {
    name: 'a deleted agent drains its pods',
    given: world([pod(0), pod(1, waiting)], { deletedAt: start }),
    want: ['drain new-0 AgentDeleted', 'delete new-1 AgentDeleted'],
  },
  {
    name: 'a deleted agent waits for its calls',
    given: world([pod(0, { ...draining, report: report(1, true) })], { deletedAt: start }),
    want: [],
  },
  {
    name: 'a deleted agent waits for pods to end',
    given: world([pod(0, { state: 'terminating' })], { deletedAt: start }),
    want: [],
  },
  {
    name: 'a deleted agent without pods is let go',
    given: world([], { deletedAt: start }),
    want: ['release'],
  },
  {
    name: 'a deleted agent does not wait longer than a drain may take',
    given: world(
      [pod(0, { ...draining, report: report(1, true) }), pod(1, silent), pod(2, { state: 'lost' })],
      { deletedAt: start - 3_600_000 },
    ),
    want: [
      'delete new-0 DrainTimedOut in 30 s',
      'delete new-1 AgentDeleted',
      'delete new-2 DrainTimedOut in 30 s',
      'release',
    ],
  },
];

test.each(rows)('$name', ({ given, want }) => {
  expect(decide(given).actions.map(told)).toEqual(want);
});

test.each([
  { name: 'at rest', given: world([pod(0)]), want: 15_000 },
  {
    name: 'while a pod drains',
    given: world([pod(0), pod(1, draining)], { replicas: 1 }),
    want: 1_500,
  },
  { name: 'while a pod says nothing', given: world([pod(0, silent)]), want: 1_500 },
  {
    name: 'while a provider does not work',
    given: world([pod(0, { report: { ...report(), isSettled: false } })]),
    want: 1_500,
  },
])('$name pods are asked every $want ms', ({ given, want }) => {
  expect(decide(given).checkAfter).toBe(want);
});
