import { expect, test } from 'vitest';
import type { Pod } from '../../kube/kinds.ts';
import { findingsOf, type KnownPod, type Situation } from './findings.ts';
import type { PodReport } from './pod-reports.ts';
import { report, pod as viewOf, world } from './world.case.ts';
import type { PodView, World } from './world.ts';

const connected = { isReady: true, reason: 'Connected', message: 'openai works' };

function reportOf(status: Partial<PodReport['status']> = {}): PodReport {
  const base = { activeCalls: 0, isDraining: false, epoch: 0, revision: 'r', provider: connected };
  return { status: { ...base, ...status }, hasAcknowledgedDrain: false };
}

interface Parts {
  readonly pod?: Pod;
  readonly report?: PodReport | undefined;
  readonly fault?: string;
}

function known(view: PodView, parts: Parts = {}): KnownPod {
  return {
    view,
    pod: parts.pod ?? { spec: { containers: [], nodeName: 'n1' } },
    report: 'report' in parts ? parts.report : reportOf(),
    fault: parts.fault,
  };
}

function situation(
  pods: readonly KnownPod[],
  parts: Partial<World> & Partial<Situation> = {},
): Situation {
  const { problems = [], references = [], refusal, ...rest } = parts;
  return {
    world: world(
      pods.map(({ view }) => view),
      rest,
    ),
    pods,
    problems,
    references,
    refusal,
  };
}

const down = { state: 'starting', isRunning: false, report: undefined } as const;
const crashed: Pod = {
  spec: { containers: [], nodeName: 'n1' },
  status: {
    containerStatuses: [
      {
        name: 'c',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 3,
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      },
    ],
  },
};
const unscheduled: Pod = {
  spec: { containers: [] },
  status: {
    conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes: Insufficient cpu' }],
  },
};

interface Row {
  readonly name: string;
  readonly given: Situation;
  readonly about: keyof ReturnType<typeof findingsOf>;
  readonly want: string;
}

const rows: Row[] = [
  {
    name: 'a valid spec',
    given: situation([]),
    about: 'Accepted',
    want: 'True Accepted: the spec is valid',
  },
  {
    name: 'a spec that contradicts itself',
    given: situation([], {
      problems: [
        { reason: 'InvalidConfiguration', message: 'spec.tools[1].name: "a" is used twice' },
      ],
    }),
    about: 'Accepted',
    want: 'False InvalidConfiguration: spec.tools[1].name: "a" is used twice',
  },
  {
    name: 'two missing Secrets',
    given: situation([], {
      references: [
        { reason: 'SecretNotFound', message: 'a: no Secret' },
        { reason: 'SecretKeyNotFound', message: 'b: no key' },
      ],
    }),
    about: 'ResolvedRefs',
    want: 'False SecretNotFound: a: no Secret; b: no key',
  },
  {
    name: 'a pod without a node',
    given: situation([known(viewOf(0, { ...down, node: undefined }), { pod: unscheduled })]),
    about: 'Scheduled',
    want: 'False Unschedulable: 1 without a node: 0/3 nodes: Insufficient cpu',
  },
  {
    name: 'a pod that is refused',
    given: situation([], { replicas: 1, refusal: 'exceeded quota' }),
    about: 'Scheduled',
    want: 'False PodRefused: exceeded quota',
  },
  {
    name: 'pods not made yet',
    given: situation([known(viewOf(0))], { replicas: 3 }),
    about: 'Scheduled',
    want: 'Unknown Pending: 1 of 3 pods are made',
  },
  {
    name: 'no replicas',
    given: situation([]),
    about: 'PodsReady',
    want: 'False NoReplicas: spec.replicas is 0: nobody answers',
  },
  {
    name: 'all pods ready',
    given: situation([known(viewOf(0)), known(viewOf(1))]),
    about: 'PodsReady',
    want: 'True PodsReady: 2 of 2 pods are ready',
  },
  {
    name: 'pods that drain besides',
    given: situation([known(viewOf(0)), known(viewOf(1, { drainBegan: 1 }))], { replicas: 1 }),
    about: 'PodsReady',
    want: 'True PodsReady: 1 of 1 pods are ready',
  },
  {
    name: 'a crashing pod',
    given: situation([known(viewOf(0, { ...down, restarts: 3 }), { pod: crashed })]),
    about: 'PodsReady',
    want: 'False CrashLooping: 0 of 1 pods are ready (pod pizza-new-0: the container ended with Error (1))',
  },
  {
    name: 'a lost node',
    given: situation([known(viewOf(0)), known(viewOf(1, { state: 'lost', node: 'n2' }))]),
    about: 'PodsReady',
    want: 'False NodeLost: 1 of 2 pods are ready (node n2 is not heard of)',
  },
  {
    name: 'a roll-out',
    given: situation([known(viewOf(0, { revision: 'old' })), known(viewOf(1, down))], {
      replicas: 1,
    }),
    about: 'PodsReady',
    want: 'True RollingOut: 1 of 1 pods are ready; pods of the old revision are being replaced',
  },
  {
    name: 'a roll-out to crashing pods',
    given: situation(
      [
        known(viewOf(0, { revision: 'old' })),
        known(viewOf(1, { ...down, restarts: 3 }), { pod: crashed }),
      ],
      { replicas: 1 },
    ),
    about: 'PodsReady',
    want: 'False RollOutStopped: the new pods do not get ready (pod pizza-new-1: the container ended with Error (1)); old ones serve',
  },
  {
    name: 'a configuration that the pod refuses',
    given: situation([
      known(viewOf(0), { report: reportOf({ configProblem: 'agent.x: unknown key' }) }),
    ]),
    about: 'PodsReady',
    want: 'False ConfigurationRefused: pod pizza-new-0: agent.x: unknown key',
  },
  {
    name: 'a provider that works',
    given: situation([known(viewOf(0))]),
    about: 'ProviderReady',
    want: 'True Connected: openai works',
  },
  {
    name: 'a provider that works for one pod only',
    given: situation([
      known(viewOf(0)),
      known(viewOf(1), {
        report: reportOf({ provider: { isReady: false, reason: 'KeyRefused', message: 'no' } }),
      }),
    ]),
    about: 'ProviderReady',
    want: 'False KeyRefused: pod pizza-new-1: no',
  },
  {
    name: 'a pod whose reason is none',
    given: situation([
      known(viewOf(0), {
        report: reportOf({ provider: { isReady: false, reason: 'not ok', message: 'no' } }),
      }),
    ]),
    about: 'ProviderReady',
    want: 'False Unnamed: pod pizza-new-0: no',
  },
  {
    name: 'a pod that does not answer',
    given: situation([known(viewOf(0), { report: undefined, fault: 'fetch failed' })]),
    about: 'ProviderReady',
    want: 'Unknown NoReport: pod pizza-new-0 gives no report: fetch failed',
  },
  {
    name: 'no pod to ask',
    given: situation([known(viewOf(0, { ...down, report: report() }))]),
    about: 'ProviderReady',
    want: 'Unknown NoReport: no pod is ready to say',
  },
];

test.each(rows)('$about of $name', ({ given, about, want }) => {
  const { status, reason, message } = findingsOf(given)[about];
  expect(`${status} ${reason}: ${message}`).toBe(want);
});
