import type { SlotUse } from '../../pods/slot.ts';

/** What is known when a VoiceAgent's pods are decided on; times in ms since the epoch. */
export interface World {
  readonly now: number;
  /** Since when the agent is being deleted. */
  readonly deletedAt: number | undefined;
  readonly replicas: number;
  /** Of the pods that the spec describes. */
  readonly revision: string;
  /**
   * The content of ConfigMap and Secrets that pods are to have. Undefined while something is missing or
   * wrong: then no pod is made and none is told of it, and those that run go on as they are.
   */
  readonly content: string | undefined;
  readonly drainTimeout: number;
  readonly pods: readonly PodView[];
  /** Of the pods of other agents, in all namespaces. */
  readonly otherSlots: readonly SlotUse[];
  /** Nodes that could take a pod. */
  readonly nodes: ReadonlySet<string>;
}

/**
 *  waiting      no container has run yet
 *  starting     has run, is not ready (a draining pod looks so too)
 *  ready        takes calls
 *  port-taken   another program has a port of its slot on that node
 *  unplaceable  no node has the ports of its slot free
 *  ended        Failed or Succeeded: evicted, node shut down
 *  lost         its node is not heard of; calls may go on there
 *  gone         its node does not exist any more, or surely runs nothing
 *  terminating  deleted, and finishing by itself
 */
export type PodState =
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'port-taken'
  | 'unplaceable'
  | 'ended'
  | 'lost'
  | 'gone'
  | 'terminating';

/** A pod of the agent as decisions see it. */
export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly ordinal: number;
  readonly slot: number;
  readonly node: string | undefined;
  readonly revision: string;
  readonly content: string;
  readonly state: PodState;
  /** Whether its container runs, as far as kubelet says: without it there are no calls. */
  readonly isRunning: boolean;
  readonly restarts: number;
  /** When it ended; only of `ended`. */
  readonly endedAt: number | undefined;
  /** Since when it is to drain. */
  readonly drainBegan: number | undefined;
  /** What it said last, if that is not long ago. */
  readonly report: CallReport | undefined;
}

export interface CallReport {
  readonly activeCalls: number;
  /** The pod takes no calls, and said so in answer to us. */
  readonly hasAcknowledgedDrain: boolean;
  /** Its provider works and its configuration is the newest: nothing is expected to change. */
  readonly isSettled: boolean;
}

export type DrainReason = 'ScaledDown' | 'RollingOut' | 'AgentDeleted';

type DeleteReason =
  | 'Drained'
  | 'DrainTimedOut'
  | 'NotRunning'
  | 'Ended'
  | 'NodeGone'
  | 'PortTaken'
  | 'Unplaceable'
  | 'AgentDeleted';

export type Action =
  | {
      readonly type: 'create';
      readonly slot: number;
      readonly ordinal: number;
      readonly content: string;
    }
  | { readonly type: 'drain'; readonly pod: PodView; readonly reason: DrainReason }
  | { readonly type: 'undrain'; readonly pod: PodView }
  | {
      readonly type: 'delete';
      readonly pod: PodView;
      readonly reason: DeleteReason;
      /** The pod's own where absent. */
      readonly gracePeriodSeconds?: number;
    }
  | { readonly type: 'touch'; readonly pod: PodView; readonly content: string }
  /** Nothing holds the agent any more. */
  | { readonly type: 'release' };

export interface Decision {
  readonly actions: readonly Action[];
  /** When to look again, ms; nothing need happen before. */
  readonly checkAfter: number;
}
