import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Cache } from '../kube/cache.ts';
import type { RequestSample } from '../kube/http.ts';

type AnyCache = Pick<Cache<never>, 'stats' | 'size' | 'hasSynced'> & {
  readonly kind: { readonly kind: string };
};

export interface KubeMetrics {
  /** To be given to the client as `onRequest`. */
  onRequest(sample: RequestSample): void;
  /** Counters of the cache are read at each scrape. */
  follow(cache: AnyCache): void;
  /** Whether this process leads. */
  leads(holds: () => boolean): void;
}

/** The metrics of the API client, the caches and the leader election. */
export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by method and status; 0 without an answer.',
    labelNames: ['method', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'From sending to the head of the answer.',
    labelNames: ['method'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    registers,
  });
  const followed = new Set<AnyCache>();
  const gauge = (name: string, help: string, valueOf: (cache: AnyCache) => number): void => {
    const made: Gauge<'kind'> = new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers,
      collect: () => {
        // A kind may have a cache for each of several namespaces.
        made.reset();
        for (const cache of followed) made.inc({ kind: cache.kind.kind }, valueOf(cache));
      },
    });
  };
  gauge('parley_cache_objects', 'Objects in the cache.', ({ size }) => size);
  gauge('parley_cache_unsynced', 'Caches that saw no whole list yet.', (cache) =>
    Number(!cache.hasSynced),
  );
  gauge('parley_cache_list_pages', 'Pages listed since the start.', ({ stats }) => stats.lists);
  gauge('parley_cache_watches', 'Watches opened since the start.', ({ stats }) => stats.watches);
  gauge('parley_cache_failures', 'Lists and watches that failed.', ({ stats }) => stats.failures);
  gauge('parley_cache_events', 'Events of watches.', ({ stats }) => stats.events);
  let holds: (() => boolean) | undefined;
  const leader: Gauge = new Gauge({
    name: 'leader_election_master_status',
    help: '1 when this process leads.',
    registers,
    collect: () => leader.set(Number(holds?.() ?? false)),
  });
  return {
    onRequest({ method, status, duration: took }) {
      requests.inc({ method, code: String(status) });
      duration.observe({ method }, took / 1000);
    },
    follow(cache) {
      followed.add(cache);
    },
    leads(asked) {
      holds = asked;
    },
  };
}
