import type { CallReport, PodView, World } from './world.ts';

/** Builders for tests: a world of three nodes at rest, and pods in it. */

export const start = Date.UTC(2026, 0, 1);

export function report(activeCalls = 0, hasAcknowledgedDrain = false): CallReport {
  return { activeCalls, hasAcknowledgedDrain, isSettled: true };
}

/** A ready pod of the wanted revision without calls; its number is its slot. */
export function pod(ordinal: number, overrides: Partial<PodView> = {}): PodView {
  const revision = overrides.revision ?? 'new';
  return {
    name: `pizza-${revision}-${ordinal}`,
    uid: `${revision}-${ordinal}`,
    resourceVersion: '1',
    ordinal,
    slot: ordinal,
    node: 'n1',
    revision,
    content: 'c1',
    state: 'ready',
    isRunning: true,
    restarts: 0,
    endedAt: undefined,
    drainBegan: undefined,
    report: report(),
    ...overrides,
  };
}

export function world(pods: readonly PodView[], overrides: Partial<World> = {}): World {
  return {
    now: start,
    deletedAt: undefined,
    replicas: pods.length,
    revision: 'new',
    content: 'c1',
    drainTimeout: 3_600_000,
    pods,
    otherSlots: [],
    nodes: new Set(['n1', 'n2', 'n3']),
    ...overrides,
  };
}
