import type { ChainType, Finding } from '../../api/conditions.ts';
import type { Pod } from '../../kube/kinds.ts';
import type { PodReport } from './pod-reports.ts';
import { isFailing, isUsable } from './pod-rules.ts';
import { scheduling, troubleOf } from './pod-view.ts';
import type { ReferenceProblem } from './references.ts';
import type { PodView, World } from './world.ts';

/** A pod with all that is known of it. */
export interface KnownPod {
  readonly pod: Pod;
  readonly view: PodView;
  readonly report: PodReport | undefined;
  /** Why there is no report. */
  readonly fault: string | undefined;
}

export interface Situation {
  readonly world: World;
  readonly pods: readonly KnownPod[];
  /** What is wrong with the spec itself. */
  readonly problems: readonly { readonly reason: string; readonly message: string }[];
  readonly references: readonly ReferenceProblem[];
  /** The API server's reason for not taking a pod. */
  readonly refusal: string | undefined;
}

/** What there is to say about each link of the chain. */
export function findingsOf(situation: Situation): Record<ChainType, Finding> {
  const serving = servingOf(situation);
  return {
    Accepted: accepted(situation),
    ResolvedRefs: resolvedRefs(situation),
    Scheduled: scheduled(situation, serving),
    PodsReady: podsReady(situation, serving),
    ProviderReady: providerReady(serving),
  };
}

/** Pods that take calls or are about to. */
export function servingOf({ world, pods }: Pick<Situation, 'world' | 'pods'>): KnownPod[] {
  return pods.filter(({ view }) => isUsable(view, world) && view.drainBegan === undefined);
}

const yes = (reason: string, message: string): Finding => ({ status: 'True', reason, message });
const no = (reason: string, message: string): Finding => ({ status: 'False', reason, message });
const unknown = (reason: string, message: string): Finding => ({
  status: 'Unknown',
  reason,
  message,
});

function accepted({ problems }: Situation): Finding {
  const [first] = problems;
  if (!first) return yes('Accepted', 'the spec is valid');
  return no(first.reason, problems.map(({ message }) => message).join('; '));
}

function resolvedRefs({ problems, references }: Situation): Finding {
  const [first] = references;
  if (first) return no(first.reason, references.map(({ message }) => message).join('; '));
  if (problems.length > 0) return unknown('NotAccepted', 'the spec must be valid first');
  return yes('ResolvedRefs', 'all Secrets are there');
}

function scheduled({ world, refusal }: Situation, serving: readonly KnownPod[]): Finding {
  if (world.replicas === 0) return yes('NoReplicas', 'spec.replicas is 0');
  if (refusal !== undefined) return no('PodRefused', refusal);
  const waiting = serving.flatMap(({ pod }) => scheduling(pod) ?? []);
  const [first] = waiting;
  if (first) return no('Unschedulable', `${waiting.length} without a node: ${first.message}`);
  if (serving.length < world.replicas)
    return unknown('Pending', `${serving.length} of ${world.replicas} pods are made`);
  return yes('Scheduled', 'all pods have a node');
}

function podsReady(situation: Situation, serving: readonly KnownPod[]): Finding {
  const { world } = situation;
  if (world.replicas === 0) return no('NoReplicas', 'spec.replicas is 0: nobody answers');
  const ready = serving.filter(({ view }) => view.state === 'ready');
  const refused = ready.find(({ report }) => report?.status.configProblem !== undefined);
  if (refused)
    return no(
      'ConfigurationRefused',
      `pod ${refused.view.name}: ${refused.report?.status.configProblem}`,
    );
  const old = serving.filter(({ view }) => view.revision !== world.revision);
  const current = serving.filter(({ view }) => view.revision === world.revision);
  if (
    old.length > 0 &&
    isFailing(
      world,
      current.map(({ view }) => view),
    )
  )
    return no(
      'RollOutStopped',
      `the new pods do not get ready${troubles(situation)}; old ones serve`,
    );
  const count = `${Math.min(ready.length, world.replicas)} of ${world.replicas} pods are ready`;
  if (ready.length < world.replicas)
    return no(reasonOfUnready(situation), `${count}${troubles(situation)}`);
  return old.length > 0
    ? yes('RollingOut', `${count}; pods of the old revision are being replaced`)
    : yes('PodsReady', count);
}

function reasonOfUnready({ pods, world }: Situation): string {
  const has = (test: (view: PodView) => boolean) => pods.some(({ view }) => test(view));
  if (has(({ state }) => state === 'port-taken')) return 'PortTaken';
  if (has(({ state, restarts }) => state === 'starting' && restarts >= 3)) return 'CrashLooping';
  if (has(({ state }) => state === 'lost' || state === 'gone')) return 'NodeLost';
  return world.content === undefined ? 'NotCreated' : 'Starting';
}

/** What is the matter with the first pod that has something to complain of. */
function troubles({ pods }: Situation): string {
  const [first] = pods.flatMap(({ pod, view }) => {
    if (view.state === 'lost') return [`node ${view.node} is not heard of`];
    const trouble = view.state === 'ready' ? undefined : troubleOf(pod);
    return trouble === undefined ? [] : [`pod ${view.name}: ${trouble}`];
  });
  return first === undefined ? '' : ` (${first})`;
}

function providerReady(serving: readonly KnownPod[]): Finding {
  const ready = serving.filter(({ view }) => view.state === 'ready');
  const reports = ready.flatMap(({ view, report }) =>
    report ? [{ name: view.name, ...report.status.provider }] : [],
  );
  const bad = reports.find(({ isReady }) => !isReady);
  if (bad) return no(reasonFrom(bad.reason), `pod ${bad.name}: ${bad.message}`);
  const [first] = reports;
  if (first) return yes(reasonFrom(first.reason), first.message);
  const [silent] = ready;
  return unknown(
    'NoReport',
    silent
      ? `pod ${silent.view.name} gives no report${silent.fault ? `: ${silent.fault}` : ''}`
      : 'no pod is ready to say',
  );
}

/** A pod may be of another version: what is no reason for the API server must not hold up the status. */
function reasonFrom(text: string): string {
  return /^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(text) ? text : 'Unnamed';
}
