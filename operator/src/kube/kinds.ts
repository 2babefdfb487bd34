import type {
  CoreV1Event,
  V1ConfigMap,
  V1Lease,
  V1Node,
  V1Pod,
  V1PodSpec,
  V1Secret,
} from '@kubernetes/client-node';
import type { KubeObject, ObjectMeta } from './object.ts';

/**
 * A generated type as it is on the wire: the client library turns time stamps into dates, JSON has
 * text. Read-only, because cached objects are shared.
 */
type Wire<T> = T extends Date
  ? string
  : // Told by a field, not by `extends V1ObjectMeta`: its fields are optional, and much would do.
    'managedFields' extends (string extends keyof T ? never : keyof T)
    ? ObjectMeta
    : T extends readonly (infer Item)[]
      ? readonly Wire<Item>[]
      : T extends object
        ? { readonly [Field in keyof T]: Wire<T[Field]> }
        : T;

export type Pod = Wire<V1Pod>;
export type PodSpec = Wire<V1PodSpec>;
export type Node = Wire<V1Node>;
export type ConfigMap = Wire<V1ConfigMap>;
export type Secret = Wire<V1Secret>;
export type Event = Wire<CoreV1Event>;
export type Lease = Wire<V1Lease>;

/** How a kind is addressed in the API; `T` is the type of its objects. */
export interface ResourceKind<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: ties the type of the objects to the kind. */
  readonly object?: T;
}

/** Describes a kind, for custom resources: `resourceKind<VoiceAgent>({ group: 'parley.dev', … })`. */
export function resourceKind<T extends KubeObject>(
  kind: Omit<ResourceKind<T>, 'object'>,
): ResourceKind<T> {
  return kind;
}

const core = { group: '', version: 'v1' };

export const pods = resourceKind<Pod>({ ...core, kind: 'Pod', plural: 'pods', namespaced: true });
export const nodes = resourceKind<Node>({
  ...core,
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
});
export const configMaps = resourceKind<ConfigMap>({
  ...core,
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
});
export const secrets = resourceKind<Secret>({
  ...core,
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
});
export const events = resourceKind<Event>({
  ...core,
  kind: 'Event',
  plural: 'events',
  namespaced: true,
});
export const leases = resourceKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
});

export function apiVersionOf({ group, version }: ResourceKind): string {
  return group ? `${group}/${version}` : version;
}

/** The address of a collection, or of one object in it: `/api/v1/namespaces/a/pods/b/status`. */
export function pathOf(
  kind: ResourceKind,
  at: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  const { namespace, name, subresource } = at;
  const parts = [
    ...(kind.namespaced && namespace ? ['namespaces', namespace] : []),
    kind.plural,
    ...(name ? [name] : []),
    ...(subresource ? [subresource] : []),
  ];
  return `${root}/${parts.map(encodeURIComponent).join('/')}`;
}
