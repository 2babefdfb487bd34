import type { KubeClient } from '../../kube/client.ts';
import {
  type ConfigMap,
  configMaps,
  type ResourceKind,
  type Secret,
  secrets,
} from '../../kube/kinds.ts';
import { isAlreadyExists } from '../../kube/kube-error.ts';
import { controllerOf, type KubeObject } from '../../kube/object.ts';
import { configMapName, labelsOf, tokenKey, tokenSecretName } from '../../pods/names.ts';
import { type Blueprint, ownerOf } from '../../pods/pod.ts';
import { fieldManager } from './resource.ts';

/** Somebody else's object has the name that one of ours must have. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

type Owner = Pick<Blueprint, 'name' | 'namespace' | 'uid'>;

/** The agent's configuration, written only where it differs from `cached`. */
export async function ensureConfigMap(
  client: KubeClient,
  { owner, cached }: { owner: Owner; cached: ConfigMap | undefined },
  text: string,
): Promise<void> {
  const wanted: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(owner, configMapName(owner.name)),
    data: { 'connector.json': text },
  };
  const known = cached ?? (await createOrGet(client, configMaps, wanted));
  checkOwner(known, owner);
  if (known.data?.['connector.json'] === text) return;
  await client.applyServerSide(configMaps, wanted, { fieldManager, force: true });
}

/** The token of the agent's pods; made once, and again should it be deleted. */
export async function ensureToken(
  client: KubeClient,
  { owner, cached }: { owner: Owner; cached: Secret | undefined },
  makeToken: () => string,
): Promise<Secret> {
  const known =
    cached ??
    (await createOrGet(client, secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadataOf(owner, tokenSecretName(owner.name)),
      type: 'Opaque',
      data: { [tokenKey]: Buffer.from(makeToken()).toString('base64') },
    }));
  checkOwner(known, owner);
  return known;
}

export function tokenOf(secret: Secret | undefined): string | undefined {
  const encoded = secret?.data?.[tokenKey];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').trim();
}

function metadataOf(owner: Owner, name: string) {
  return {
    name,
    namespace: owner.namespace,
    labels: labelsOf(owner.name),
    ownerReferences: [ownerOf(owner)],
  };
}

async function createOrGet<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  object: T,
): Promise<T> {
  try {
    return await client.create(kind, object, { fieldManager });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace = '', name = '' } = object.metadata ?? {};
    return client.get(kind, { namespace, name });
  }
}

function checkOwner(object: KubeObject, owner: Owner): void {
  if (controllerOf(object)?.uid === owner.uid) return;
  const { name } = object.metadata ?? {};
  throw new NameTaken(`"${name}" exists already and belongs to somebody else`);
}
