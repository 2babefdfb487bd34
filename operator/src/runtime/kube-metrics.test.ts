import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createKubeMetrics } from './kube-metrics.ts';

test('requests, caches and leadership are told', async () => {
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const stats = { lists: 2, watches: 3, failures: 1, events: 9, targetErrors: 0, lastHeard: 0 };
  const kind = { kind: 'Pod' };
  metrics.follow({ kind, stats, size: 7, hasSynced: true });
  metrics.follow({ kind, stats, size: 1, hasSynced: false });
  metrics.onRequest({ method: 'GET', status: 200, duration: 12 });
  metrics.onRequest({ method: 'WATCH', status: 0, duration: 12 });
  let leads = true;
  metrics.leads(() => leads);
  for (const line of [
    'rest_client_requests_total{method="GET",code="200"} 1',
    'rest_client_requests_total{method="WATCH",code="0"} 1',
    'rest_client_request_duration_seconds_count{method="GET"} 1',
    'parley_cache_objects{kind="Pod"} 8',
    'parley_cache_unsynced{kind="Pod"} 1',
    'parley_cache_events{kind="Pod"} 18',
    'leader_election_master_status 1',
  ])
    expect(await registry.metrics()).toContain(line);
  leads = false;
  expect(await registry.metrics()).toContain('leader_election_master_status 0');
});
