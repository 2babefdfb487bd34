import type { Pod } from './kinds.ts';
import { controllerOf, type KubeObject } from './object.ts';

/** Index: the uid of the owner that manages the object. */
export function byController(object: KubeObject): readonly string[] {
  const owner = controllerOf(object);
  return owner ? [owner.uid] : [];
}

/** Index: the node that a pod is bound to. */
export function byNode(pod: Pod): readonly string[] {
  const node = pod.spec?.nodeName;
  return node ? [node] : [];
}
