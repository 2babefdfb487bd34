import { chooseSlot, type SlotUse } from '../../pods/slot.ts';
import { isFailing, slotUses } from './pod-rules.ts';
import type { Action, PodView, World } from './world.ts';

/** Pods made in one go; the rest follows when these are seen. */
const batch = 20;

/** Pods that take calls or are about to, by whether they are of the wanted revision. */
export interface Serving {
  readonly current: readonly PodView[];
  readonly old: readonly PodView[];
}

type Create = Extract<Action, { type: 'create' }>;

/** The pods that are missing, on slots of their own, under the lowest free numbers. */
export function decideCreation(world: World, serving: Serving): Create[] {
  const { content } = world;
  if (content === undefined) return [];
  const count = Math.min(batch, missing(world, serving));
  const uses: SlotUse[] = slotUses(world);
  const ordinals = freeOrdinals(world, count);
  return ordinals.map((ordinal) => {
    const { slot } = chooseSlot(uses, world.nodes);
    uses.push({ slot, node: undefined });
    return { type: 'create', slot, ordinal, content };
  });
}

/**
 * How many to make: during a roll-out a quarter more than wanted at a time, and none while those that
 * were made fail. Of pods that end by themselves each is replaced once at first, then after the
 * hold-off.
 */
function missing(world: World, { current, old }: Serving): number {
  const { replicas } = world;
  const wanted = Math.max(0, replicas - current.length);
  const ended = world.pods.filter(
    ({ state, revision }) => state === 'ended' && revision === world.revision,
  ).length;
  const unbraked = Math.max(0, 2 * replicas - current.length - ended);
  if (old.length === 0) return Math.min(wanted, unbraked);
  if (isFailing(world, current)) return 0;
  const surge = Math.max(1, Math.ceil(replicas / 4));
  const room = Math.max(0, replicas + surge - current.length - old.length);
  return Math.min(wanted, unbraked, room);
}

/** Numbers that no pod of this revision has; deleted ones keep theirs until they are gone. */
function freeOrdinals(world: World, count: number): number[] {
  const taken = new Set(
    world.pods.filter(({ revision }) => revision === world.revision).map(({ ordinal }) => ordinal),
  );
  const free: number[] = [];
  for (let ordinal = 0; free.length < count; ordinal++) if (!taken.has(ordinal)) free.push(ordinal);
  return free;
}
