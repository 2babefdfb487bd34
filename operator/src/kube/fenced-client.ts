import type { KubeClient } from './client.ts';
import { localError } from './kube-error.ts';

/**
 * A client that writes only while `holds`: reads pass, writes reject with `NotLeader`. What is under way when
 * leadership ends is not called back, so writes keep their preconditions.
 */
export function fencedClient(client: KubeClient, holds: () => boolean): KubeClient {
  const guarded = async <T>(write: () => Promise<T>): Promise<T> => {
    if (!holds()) throw localError('NotLeader', 'this process does not lead');
    return write();
  };
  return {
    get: (kind, ref) => client.get(kind, ref),
    find: (kind, ref) => client.find(kind, ref),
    list: (kind, options) => client.list(kind, options),
    listPage: (kind, options) => client.listPage(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => guarded(() => client.create(kind, object, options)),
    replace: (kind, object, options) => guarded(() => client.replace(kind, object, options)),
    applyServerSide: (kind, object, options) =>
      guarded(() => client.applyServerSide(kind, object, options)),
    patch: (kind, ref, options) => guarded(() => client.patch(kind, ref, options)),
    delete: (kind, ref, options) => guarded(() => client.delete(kind, ref, options)),
    close: () => client.close(),
  };
}
