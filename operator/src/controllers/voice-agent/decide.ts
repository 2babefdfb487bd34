import { decideCreation, type Serving } from './decide-creation.ts';
import { decideEnd } from './decide-end.ts';
import { deletesOf, isFailing, isUsable, outOfService, rank } from './pod-rules.ts';
import type { Action, Decision, PodView, World } from './world.ts';

/** While something is going on, pods are asked this often; ms. */
const busyInterval = 1_500;
/** Otherwise. */
const calmInterval = 15_000;

/**
 * What to do about an agent's pods. The same world gives the same answer, and when all is as it should
 * be, none. Calls come first: no pod that may have calls is deleted before it has said, draining,
 * that it has none, or its time to drain is over.
 */
export function decide(world: World): Decision {
  if (world.deletedAt !== undefined) return decideEnd(world, world.deletedAt);
  const groups = groupsOf(world);
  const undrains = decideUndrain(world, groups);
  const back = undrains.map(({ pod }) => pod);
  const kept = new Set(back.map(({ uid }) => uid));
  const current = [...groups.current, ...back.filter((pod) => pod.revision === world.revision)];
  const old = [...groups.old, ...back.filter((pod) => pod.revision !== world.revision)];
  // Those that were just taken back do not take calls yet.
  const ready = groups.current.filter(({ state }) => state === 'ready').length;
  const actions = [
    ...undrains,
    ...decideCreation(world, { current, old }),
    ...decideDrain({ current, old, ready }, world.replicas),
    ...world.pods.filter(({ uid }) => !kept.has(uid)).flatMap((pod) => deletesOf(pod, world)),
    ...touches(world),
  ];
  return {
    actions: firstOfEach(actions),
    checkAfter: isBusy(world, groups) ? busyInterval : calmInterval,
  };
}

interface Groups {
  /** Of the wanted revision, taking calls or about to. */
  readonly current: readonly PodView[];
  readonly old: readonly PodView[];
  readonly drainingCurrent: readonly PodView[];
  readonly drainingOld: readonly PodView[];
}

function groupsOf(world: World): Groups {
  const usable = world.pods.filter((pod) => isUsable(pod, world));
  const part = (isCurrent: boolean, isDraining: boolean) =>
    usable.filter(
      ({ revision, drainBegan }) =>
        (revision === world.revision) === isCurrent && (drainBegan !== undefined) === isDraining,
    );
  return {
    current: part(true, false),
    old: part(false, false),
    drainingCurrent: part(true, true),
    drainingOld: part(false, true),
  };
}

type Undrain = Extract<Action, { type: 'undrain' }>;

/**
 * A drain is taken back before a pod is made: of the wanted revision first; of an old one only where
 * the wanted one does not get up and calls would find nobody.
 */
function decideUndrain(world: World, groups: Groups): Undrain[] {
  const { current, old, drainingCurrent, drainingOld } = groups;
  const missing = Math.max(0, world.replicas - current.length);
  const chosen = drainingCurrent.toSorted(rank).slice(0, missing);
  if (!isFailing(world, current)) return chosen.map(undrainOf);
  const serving = [...current, ...old].filter(({ state }) => state === 'ready').length;
  const needed = Math.max(0, world.replicas - serving - chosen.length);
  return [...chosen, ...drainingOld.toSorted(rank).slice(0, needed)].map(undrainOf);
}

function undrainOf(pod: PodView): Undrain {
  return { type: 'undrain', pod };
}

/** Old pods as new ones become ready; then those that are too many. */
function decideDrain(
  { current, old, ready }: Serving & { ready: number },
  replicas: number,
): Action[] {
  const keptOld = Math.max(0, replicas - ready);
  const surplusOld = worst(old, old.length - keptOld);
  const surplus = worst(current, current.length - replicas);
  return [
    ...surplusOld.map((pod) => outOfService(pod, 'RollingOut')),
    ...surplus.map((pod) => outOfService(pod, 'ScaledDown')),
  ];
}

/** Those that are missed least. Who may have calls but does not say is not among them. */
function worst(pods: readonly PodView[], count: number): PodView[] {
  return pods
    .filter(({ isRunning, report }) => !isRunning || report !== undefined)
    .toSorted((a, b) => rank(b, a))
    .slice(0, Math.max(0, count));
}

function touches({ content, pods }: World): Action[] {
  if (content === undefined) return [];
  return pods
    .filter(({ state }) => !['terminating', 'ended', 'gone'].includes(state))
    .filter((pod) => pod.content !== content)
    .map((pod) => ({ type: 'touch', pod, content }));
}

/** One action for a pod at a time: what was decided on first. A pod that goes needs no content. */
function firstOfEach(actions: readonly Action[]): Action[] {
  const seen = new Set<string>();
  return actions.filter((action) => {
    if (!('pod' in action)) return true;
    if (seen.has(action.pod.uid)) return false;
    seen.add(action.pod.uid);
    return true;
  });
}

function isBusy(world: World, groups: Groups): boolean {
  const { current, old, drainingCurrent, drainingOld } = groups;
  return (
    old.length + drainingCurrent.length + drainingOld.length > 0 ||
    current.length !== world.replicas ||
    current.some(({ state, report }) => state !== 'ready' || report?.isSettled !== true) ||
    world.pods.some(({ state }) => ['port-taken', 'unplaceable', 'ended'].includes(state))
  );
}
