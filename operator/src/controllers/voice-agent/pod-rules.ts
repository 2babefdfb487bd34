import { chooseSlot, type SlotUse } from '../../pods/slot.ts';
import type { Action, DrainReason, PodView, World } from './world.ts';

/** What one pod is worth, and when it may go. */

/** A pod that ended is kept so long: seen by people, and a brake on making the next. */
const endedHoldOff = 60_000;

/** Left to hang up when a drain has taken too long. */
export const hurriedGraceSeconds = 30;

/** Takes calls, will, or could again. */
export function isUsable(pod: PodView, world: World): boolean {
  if (pod.state === 'unplaceable') return !chooseSlot(slotUses(world), world.nodes).isFree;
  return pod.state === 'waiting' || pod.state === 'starting' || pod.state === 'ready';
}

/** All slots that are in use, or kept by a pod that waits for a node. */
export function slotUses({ pods, otherSlots }: World): SlotUse[] {
  const own = pods.filter(({ state }) => state !== 'ended');
  return [
    ...otherSlots,
    ...own.map(({ slot, node, state }) => ({ slot, node, isStuck: state === 'unplaceable' })),
  ];
}

/** Best first: ready, running, with most calls, oldest (lowest number). */
export function rank(a: PodView, b: PodView): number {
  return (
    Number(b.state === 'ready') - Number(a.state === 'ready') ||
    Number(b.isRunning) - Number(a.isRunning) ||
    (b.report?.activeCalls ?? 0) - (a.report?.activeCalls ?? 0) ||
    a.ordinal - b.ordinal
  );
}

/** The wanted revision crashes again and again, or ends. */
export function isFailing(world: World, current: readonly PodView[]): boolean {
  const ended = world.pods.filter(
    ({ state, revision }) => state === 'ended' && revision === world.revision,
  );
  return (
    ended.length >= 2 || current.some(({ state, restarts }) => state !== 'ready' && restarts >= 3)
  );
}

/** The way out of service: through a drain, unless nothing can be going on. */
export function outOfService(pod: PodView, reason: DrainReason): Action {
  return pod.isRunning
    ? { type: 'drain', pod, reason }
    : { type: 'delete', pod, reason: 'NotRunning' };
}

/** The deletion that a pod's own state asks for, if any. */
export function deletesOf(pod: PodView, world: World): Action[] {
  if (pod.state === 'gone')
    return [{ type: 'delete', pod, reason: 'NodeGone', gracePeriodSeconds: 0 }];
  if (pod.state === 'terminating' || pod.state === 'lost') return [];
  if (pod.state === 'ended')
    return world.now >= (pod.endedAt ?? 0) + endedHoldOff
      ? [{ type: 'delete', pod, reason: 'Ended' }]
      : [];
  if (pod.state === 'port-taken') return deletePortTaken(pod, world);
  if (pod.state === 'unplaceable' && !isUsable(pod, world)) return deleteUnplaceable(pod, world);
  return deleteDrained(pod, world);
}

/** It keeps its slot until others serve: that slot is not tried again meanwhile. */
function deletePortTaken(pod: PodView, world: World): Action[] {
  const ready = world.pods.filter(
    ({ state, revision, drainBegan }) =>
      state === 'ready' && revision === world.revision && drainBegan === undefined,
  );
  const isNeeded = pod.revision === world.revision && ready.length < world.replicas;
  return isNeeded ? [] : [{ type: 'delete', pod, reason: 'PortTaken' }];
}

/** As above, but its replacement need only have been made. */
function deleteUnplaceable(pod: PodView, world: World): Action[] {
  const made = world.pods.filter(
    (other) => isUsable(other, world) && other.revision === world.revision,
  );
  const isNeeded = pod.revision === world.revision && made.length < world.replicas;
  return isNeeded ? [] : [{ type: 'delete', pod, reason: 'Unplaceable' }];
}

function deleteDrained(pod: PodView, { now, drainTimeout }: World): Action[] {
  if (pod.drainBegan === undefined) return [];
  if (!pod.isRunning) return [{ type: 'delete', pod, reason: 'Drained' }];
  // Fail static: who does not answer may have calls.
  if (pod.report === undefined) return [];
  if (pod.report.hasAcknowledgedDrain && pod.report.activeCalls === 0)
    return [{ type: 'delete', pod, reason: 'Drained' }];
  if (now < pod.drainBegan + drainTimeout) return [];
  return [
    { type: 'delete', pod, reason: 'DrainTimedOut', gracePeriodSeconds: hurriedGraceSeconds },
  ];
}
