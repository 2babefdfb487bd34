import type { KubeClient } from './client.ts';

/**
 * A client that writes only while `holds`: reads pass, writes reject with `NotLeader`. What was sent before
 * leadership ended is not called back, so writes keep their preconditions.
 */
export function fencedClient(client: KubeClient, holds: () => boolean): KubeClient {
  const fence = { fence: holds };
  return {
    get: (kind, ref) => client.get(kind, ref),
    find: (kind, ref) => client.find(kind, ref),
    list: (kind, options) => client.list(kind, options),
    listPage: (kind, options) => client.listPage(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => client.create(kind, object, { ...options, ...fence }),
    replace: (kind, object, options) => client.replace(kind, object, { ...options, ...fence }),
    applyServerSide: (kind, object, options) =>
      client.applyServerSide(kind, object, { ...options, ...fence }),
    patch: (kind, ref, options) => client.patch(kind, ref, { ...options, ...fence }),
    delete: (kind, ref, options) => client.delete(kind, ref, { ...options, ...fence }),
    close: () => client.close(),
  };
}
