import type { Pod } from '../../kube/kinds.ts';
import { controllerOf } from '../../kube/object.ts';
import { nodesFor } from '../../pods/placement.ts';
import { portsOf } from '../../pods/slot.ts';
import type { VoiceAgentCaches } from './caches.ts';
import type { KnownPod, Situation } from './findings.ts';
import type { AskedPod, PodReport, PodReports } from './pod-reports.ts';
import { isToDrain, slotUseOf, viewPod } from './pod-view.ts';
import type { AgentReading } from './read-agent.ts';
import type { CallReport, PodView } from './world.ts';
import type { WrittenPods } from './written-pods.ts';

export interface ObserveDeps {
  readonly caches: VoiceAgentCaches;
  readonly reports: PodReports;
  readonly written: WrittenPods;
}

export interface ObserveContext {
  /** ms since the epoch. */
  readonly now: number;
  /** Undefined while there is none: then no pod can be asked. */
  readonly token: string | undefined;
  readonly content: string | undefined;
}

/** All there is to know about an agent's pods, they themselves having been asked. */
export async function observe(
  deps: ObserveDeps,
  reading: AgentReading,
  context: ObserveContext,
): Promise<Situation> {
  const own = ownPods(deps, reading);
  const { token } = context;
  if (token !== undefined)
    await deps.reports.refresh(own.flatMap((pod) => asked(deps, pod, { ...context, token })));
  const pods = own.map((pod) => known(deps, pod, { reading, now: context.now }));
  const views = pods.map(({ view }) => view);
  return {
    pods,
    world: {
      now: context.now,
      deletedAt: reading.deletedAt,
      replicas: reading.replicas,
      revision: reading.revision ?? views[0]?.revision ?? '',
      content: context.content,
      drainTimeout: reading.drainTimeout,
      pods: views,
      otherSlots: otherSlots(deps, views),
      nodes: nodesFor(reading.blueprint?.spec.pod, deps.caches.nodes.list()),
    },
    problems: reading.problems,
    references: reading.references,
    refusal: undefined,
  };
}

/** Pods of this very agent, not of one of the same name before it. */
function ownPods({ caches, written }: ObserveDeps, { name, namespace, uid }: AgentReading): Pod[] {
  const isOurs = (pod: Pod) => controllerOf(pod)?.uid === uid;
  return written.merge(caches.pods.by('agent', `${namespace}/${name}`), isOurs).filter(isOurs);
}

function otherSlots({ caches, written }: ObserveDeps, own: readonly PodView[]) {
  const uids = new Set(own.map(({ uid }) => uid));
  return written
    .merge(caches.pods.list(), () => true)
    .filter((pod) => !uids.has(pod.metadata?.uid ?? ''))
    .flatMap(slotUseOf);
}

/** Those that can answer: whose container runs, on a node that is heard of. */
function asked(
  { caches }: ObserveDeps,
  pod: Pod,
  { now, token }: { now: number; token: string },
): AskedPod[] {
  const view = viewPod(pod, { now, nodeOf: (name) => caches.nodes.get(name), report: undefined });
  const host = pod.status?.hostIP;
  const canAnswer = view.isRunning && ['starting', 'ready'].includes(view.state);
  if (!canAnswer || host === undefined) return [];
  return [
    {
      uid: view.uid,
      name: view.name,
      isToDrain: isToDrain(pod),
      address: { host, port: portsOf(view.slot).http, token },
    },
  ];
}

function known(
  { caches, reports }: ObserveDeps,
  pod: Pod,
  { reading, now }: { reading: AgentReading; now: number },
): KnownPod {
  const uid = pod.metadata?.uid ?? '';
  const report = reports.get(uid);
  const view = viewPod(pod, {
    now,
    nodeOf: (name) => caches.nodes.get(name),
    report: report && callReport(report, reading.config?.revision),
  });
  return { pod, view, report, fault: reports.faultOf(uid) };
}

function callReport(
  { status, hasAcknowledgedDrain }: PodReport,
  revision: string | undefined,
): CallReport {
  return {
    activeCalls: status.activeCalls,
    hasAcknowledgedDrain,
    isSettled: status.provider.isReady && (revision === undefined || status.revision === revision),
  };
}
