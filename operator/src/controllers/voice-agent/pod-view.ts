import { portTakenExitCode } from '@parley/connector/contract/pod';
import type { Node, Pod } from '../../kube/kinds.ts';
import {
  contentAnnotation,
  desiredStateAnnotation,
  drainBeganAnnotation,
  revisionLabel,
  slotLabel,
} from '../../pods/names.ts';
import { isNodeReady, isOutOfService } from '../../pods/placement.ts';
import type { SlotUse } from '../../pods/slot.ts';
import type { CallReport, PodState, PodView } from './world.ts';

export interface PodContext {
  readonly now: number;
  readonly nodeOf: (name: string) => Node | undefined;
  readonly report: CallReport | undefined;
}

/** A node that is not there may not be known yet; then its pods are taken for gone. */
const nodeGrace = 40_000;
/** So long the scheduler may find no free ports before another slot is tried. */
const placementPatience = 10_000;

export function viewPod(pod: Pod, context: PodContext): PodView {
  const { name = '', uid = '', resourceVersion = '' } = pod.metadata ?? {};
  return {
    name,
    uid,
    resourceVersion,
    ordinal: Number(name.slice(name.lastIndexOf('-') + 1)),
    slot: Number(labelOf(pod, slotLabel)),
    node: pod.spec?.nodeName,
    revision: labelOf(pod, revisionLabel),
    content: annotationOf(pod, contentAnnotation),
    state: stateOf(pod, context),
    isRunning: isRunning(pod),
    restarts: containerOf(pod)?.restartCount ?? 0,
    endedAt: isEnded(pod) ? endOf(pod) : undefined,
    drainBegan: isToDrain(pod) ? timeOf(annotationOf(pod, drainBeganAnnotation)) : undefined,
    report: context.report,
  };
}

function labelOf(pod: Pod, label: string): string {
  return pod.metadata?.labels?.[label] ?? '';
}

function annotationOf(pod: Pod, annotation: string): string {
  return pod.metadata?.annotations?.[annotation] ?? '';
}

/** Where a pod keeps a slot; nothing for one that has ended and given it back. */
export function slotUseOf(pod: Pod): SlotUse[] {
  const slot = pod.metadata?.labels?.[slotLabel];
  if (slot === undefined || isEnded(pod)) return [];
  return [{ slot: Number(slot), node: pod.spec?.nodeName }];
}

/** Whether the operator wants it to drain. */
export function isToDrain(pod: Pod): boolean {
  return annotationOf(pod, desiredStateAnnotation) === 'Draining';
}

/** The scheduler's reason why a pod has no node; undefined where it has one. */
export function scheduling(pod: Pod): { message: string; since: number } | undefined {
  if (pod.spec?.nodeName) return undefined;
  const found = conditionOf(pod, 'PodScheduled');
  return {
    message: found?.message ?? 'waits for the scheduler',
    since: timeOf(found?.lastTransitionTime ?? pod.metadata?.creationTimestamp),
  };
}

/** Why a pod's container does not run or did not stay: `CrashLoopBackOff`, `exit code 1` … */
export function troubleOf(pod: Pod): string | undefined {
  const { state, lastState } = containerOf(pod) ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended) return `the container ended with ${ended.reason ?? 'code'} (${ended.exitCode})`;
  const { waiting } = state ?? {};
  if (!waiting?.reason || waiting.reason === 'ContainerCreating') return undefined;
  return waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
}

function stateOf(pod: Pod, context: PodContext): PodState {
  const { now, nodeOf } = context;
  const name = pod.spec?.nodeName;
  const node = name === undefined ? undefined : nodeOf(name);
  if (isNodeGone(pod, node, now)) return 'gone';
  if (pod.metadata?.deletionTimestamp !== undefined) return 'terminating';
  if (isEnded(pod)) return 'ended';
  return node && !isNodeReady(node) ? 'lost' : containerState(pod, context);
}

function containerState(pod: Pod, { now, report }: PodContext): PodState {
  if (isPortTaken(pod)) return 'port-taken';
  if (conditionOf(pod, 'Ready')?.status === 'True') return 'ready';
  // A pod that is full of calls is not Ready for more of them.
  if (isRunning(pod) && !isToDrain(pod) && (report?.activeCalls ?? 0) > 0) return 'ready';
  if (hasRun(pod)) return 'starting';
  return isUnplaceable(pod, now) ? 'unplaceable' : 'waiting';
}

function isNodeGone(pod: Pod, node: Node | undefined, now: number): boolean {
  if (!pod.spec?.nodeName) return false;
  if (node) return isOutOfService(node);
  const bound = conditionOf(pod, 'PodScheduled')?.lastTransitionTime;
  return now > timeOf(bound ?? pod.metadata?.creationTimestamp) + nodeGrace;
}

function isRunning(pod: Pod): boolean {
  return containerOf(pod)?.state?.running !== undefined && !isEnded(pod);
}

function isEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

function isPortTaken(pod: Pod): boolean {
  const { ready, state, lastState } = containerOf(pod) ?? {};
  if (ready) return false;
  return (state?.terminated ?? lastState?.terminated)?.exitCode === portTakenExitCode;
}

function hasRun(pod: Pod): boolean {
  const { restartCount = 0, state, lastState } = containerOf(pod) ?? {};
  return restartCount > 0 || Boolean(state?.running ?? state?.terminated ?? lastState?.terminated);
}

function isUnplaceable(pod: Pod, now: number): boolean {
  const found = scheduling(pod);
  return (
    found !== undefined &&
    found.message.includes('free ports') &&
    now > found.since + placementPatience
  );
}

function endOf(pod: Pod): number {
  const finished = containerOf(pod)?.state?.terminated?.finishedAt;
  return timeOf(
    finished ?? conditionOf(pod, 'Ready')?.lastTransitionTime ?? pod.metadata?.creationTimestamp,
  );
}

function containerOf(pod: Pod) {
  return pod.status?.containerStatuses?.[0];
}

function conditionOf(pod: Pod, type: string) {
  return pod.status?.conditions?.find((one) => one.type === type);
}

function timeOf(text: string | undefined): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? 0 : time;
}
