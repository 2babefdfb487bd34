import { hurriedGraceSeconds } from './pod-rules.ts';
import type { Action, Decision, PodView, World } from './world.ts';

const interval = 1_500;

/** The agent is being deleted: calls end first, but not for longer than a drain may take. */
export function decideEnd(world: World, deletedAt: number): Decision {
  if (world.pods.length === 0) return { actions: [{ type: 'release' }], checkAfter: interval };
  const isOver = world.now >= deletedAt + world.drainTimeout;
  const running = world.pods.filter(({ state }) => state !== 'terminating');
  const actions = running.flatMap((pod) => (isOver ? [deleteNow(pod)] : endOf(pod)));
  // Those that are deleted end by themselves; the agent need not wait for them.
  return {
    actions: isOver ? [...actions, { type: 'release' }] : actions,
    checkAfter: interval,
  };
}

function deleteNow(pod: PodView): Action {
  if (pod.state === 'gone')
    return { type: 'delete', pod, reason: 'NodeGone', gracePeriodSeconds: 0 };
  // Who says that it has calls has had its time; who says nothing gets its own when told to end.
  return pod.report
    ? { type: 'delete', pod, reason: 'DrainTimedOut', gracePeriodSeconds: hurriedGraceSeconds }
    : { type: 'delete', pod, reason: 'AgentDeleted' };
}

function endOf(pod: PodView): Action[] {
  if (pod.state === 'gone')
    return [{ type: 'delete', pod, reason: 'NodeGone', gracePeriodSeconds: 0 }];
  const mayHaveCalls = pod.isRunning || pod.state === 'lost';
  if (!mayHaveCalls) return [{ type: 'delete', pod, reason: 'AgentDeleted' }];
  if (pod.drainBegan === undefined) return [{ type: 'drain', pod, reason: 'AgentDeleted' }];
  const isDone = pod.report?.hasAcknowledgedDrain === true && pod.report.activeCalls === 0;
  return isDone && pod.state !== 'lost' ? [{ type: 'delete', pod, reason: 'Drained' }] : [];
}
