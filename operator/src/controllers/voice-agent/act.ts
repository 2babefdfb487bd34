import type { Log } from '@parley/connector/base/log';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder, RecordedEvent } from '../../kube/event-recorder.ts';
import { type Pod, pods } from '../../kube/kinds.ts';
import { isAlreadyExists, isNotFound, KubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import {
  contentAnnotation,
  desiredStateAnnotation,
  drainBeganAnnotation,
  drainReasonAnnotation,
} from '../../pods/names.ts';
import { type Blueprint, buildPod } from '../../pods/pod.ts';
import { fieldManager } from './resource.ts';
import type { Action, PodView } from './world.ts';
import type { WrittenPods } from './written-pods.ts';

export interface Actors {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly written: WrittenPods;
  readonly log: Log;
}

export interface ActContext {
  /** The agent, for events. */
  readonly about: KubeObject;
  readonly namespace: string;
  /** Undefined where the spec makes no sense: then no pod is made. */
  readonly blueprint: Blueprint | undefined;
  /** ms since the epoch. */
  readonly now: number;
  readonly podOf: (uid: string) => Pod | undefined;
}

/** Not understood, forbidden (quota, admission), invalid: the same pod will be refused again. */
const refusals = new Set([400, 403, 422]);

/** Why the API server takes no pod of this blueprint; trying again soon is in vain. */
export class PodRefused extends Error {
  override readonly name = 'PodRefused';
}

/**
 * Does what was decided, in order; throws at the first failure, for what follows is decided anew. Every
 * change of a pod names the state it was decided on: if that is stale, nothing happens (409).
 */
export async function act(
  actors: Actors,
  actions: readonly Action[],
  context: ActContext,
): Promise<void> {
  for (const action of actions) await actOne({ actors, context }, action);
}

interface Place {
  readonly actors: Actors;
  readonly context: ActContext;
}

async function actOne(place: Place, action: Action): Promise<void> {
  switch (action.type) {
    case 'create':
      return create(place, action);
    case 'drain':
      return drain(place, action);
    case 'undrain':
      return undrain(place, action);
    case 'touch':
      await annotate(place, action.pod, { [contentAnnotation]: action.content });
      return undefined;
    case 'delete':
      return remove(place, action);
    case 'release':
      return undefined;
  }
}

type Of<Type extends Action['type']> = Extract<Action, { type: Type }>;

async function create({ actors, context }: Place, action: Of<'create'>): Promise<void> {
  if (!context.blueprint) return;
  const pod = buildPod(context.blueprint, action);
  try {
    const made = await actors.client.create(pods, pod, { fieldManager });
    actors.written.wrote(made);
    say(
      { actors, context },
      normal('PodCreated', `pod ${made.metadata?.name} on slot ${action.slot}`),
    );
  } catch (error) {
    // Made before, by us or a leader before us: the cache will show it.
    if (isAlreadyExists(error)) return;
    if (error instanceof KubeError && refusals.has(error.status)) {
      say({ actors, context }, warning('PodRefused', error.message));
      throw new PodRefused(error.message);
    }
    throw error;
  }
}

async function drain(place: Place, { pod, reason }: Of<'drain'>): Promise<void> {
  await annotate(place, pod, {
    [desiredStateAnnotation]: 'Draining',
    [drainBeganAnnotation]: new Date(place.context.now).toISOString(),
    [drainReasonAnnotation]: reason,
  });
  say(place, normal('PodDraining', `pod ${pod.name} takes no more calls: ${reason}`));
}

async function undrain(place: Place, { pod }: Of<'undrain'>): Promise<void> {
  await annotate(place, pod, {
    [desiredStateAnnotation]: 'Serving',
    [drainBeganAnnotation]: null,
    [drainReasonAnnotation]: null,
  });
  say(place, normal('PodServing', `pod ${pod.name} takes calls again`));
}

async function annotate(
  { actors, context }: Place,
  { name, uid, resourceVersion }: PodView,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { namespace } = context;
  const body = { metadata: { uid, resourceVersion, annotations } };
  const patch = { type: 'merge', body } as const;
  const changed = await actors.client.patch(pods, { namespace, name }, { fieldManager, patch });
  actors.written.wrote(changed);
}

async function remove(place: Place, action: Of<'delete'>): Promise<void> {
  const { actors, context } = place;
  const { name, uid, resourceVersion } = action.pod;
  const { gracePeriodSeconds, reason } = action;
  try {
    await actors.client.delete(
      pods,
      { namespace: context.namespace, name },
      { uid, resourceVersion, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return;
  }
  const pod = context.podOf(uid);
  if (pod) actors.written.deleted(pod);
  const isTrouble = reason === 'DrainTimedOut' || reason === 'NodeGone' || reason === 'PortTaken';
  const told = `pod ${name} is deleted: ${reason}`;
  say(place, isTrouble ? warning('PodDeleted', told) : normal('PodDeleted', told));
}

function say({ actors, context }: Place, event: RecordedEvent): void {
  actors.events.record(context.about, event);
  const agent = `${context.namespace}/${context.about.metadata?.name}`;
  actors.log.info({ agent, reason: event.reason }, 'pods changed');
}

function normal(reason: string, message: string): RecordedEvent {
  return { type: 'Normal', reason, message };
}

function warning(reason: string, message: string): RecordedEvent {
  return { type: 'Warning', reason, message };
}
