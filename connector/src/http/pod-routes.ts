import type { FastifyInstance } from 'fastify';
import { drainPath, type PodStatus, statusPath } from '../contract/pod.ts';

/** What whoever runs this process may ask of it. */
export interface PodApi {
  status(): PodStatus;
  /** No new calls, or again new calls; those that are up go on. */
  setDraining(isDraining: boolean): void;
}

/** `/v1/status` and `/v1/drain`; the answer to a drain is the status with it. */
export function podRoutes(pod: PodApi) {
  return async (server: FastifyInstance): Promise<void> => {
    server.get(statusPath, () => pod.status());
    server.put(drainPath, () => {
      pod.setDraining(true);
      return pod.status();
    });
    server.delete(drainPath, () => {
      pod.setDraining(false);
      return pod.status();
    });
  };
}
