import { randomBytes } from 'node:crypto';
import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from './config.ts';
import { cachesOf, createVoiceAgentCaches } from './controllers/voice-agent/caches.ts';
import { createVoiceAgentController } from './controllers/voice-agent/controller.ts';
import { httpPodClient } from './controllers/voice-agent/pod-client.ts';
import { PodReports } from './controllers/voice-agent/pod-reports.ts';
import { WrittenPods } from './controllers/voice-agent/written-pods.ts';
import { createHttpServer } from './http/server.ts';
import { namespaceOf } from './kube/access.ts';
import type { KubeClient } from './kube/client.ts';
import { createKubeClient } from './kube/create-kube-client.ts';
import { createEventRecorder } from './kube/event-recorder.ts';
import { fencedClient } from './kube/fenced-client.ts';
import { createLeaderElection, type LeaderElection } from './kube/leader-election.ts';
import { createControllerMetrics } from './runtime/controller-metrics.ts';
import { createKubeMetrics } from './runtime/kube-metrics.ts';
import { createManager, type Manager } from './runtime/manager.ts';

export interface AppOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Another process leads, or nobody knows: this one must end. */
  readonly onLost: () => void;
}

export interface App {
  /** Of health and metrics. */
  readonly port: number;
  /** Running reconciles end, the lease is given back, connections close. Idempotent. */
  stop(): Promise<void>;
}

/** Builds the operator and starts it; resolves when it knows the cluster and stands for election. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, clock, log } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = createKubeMetrics(registry);
  const client = createKubeClient({
    clock,
    log,
    onRequest: (sample) => metrics.onRequest(sample),
    ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
  });
  const election = await createElection(options, client, () => manager);
  const holds = () => election?.holds() ?? true;
  metrics.leads(holds);
  const { caches, events, controller } = createWork(options, { client, holds, registry });
  for (const cache of caches) metrics.follow(cache);
  const manager: Manager = createManager({
    clock,
    log,
    caches,
    tasks: [controller],
    ...(election ? { election } : {}),
    onLost: options.onLost,
  });
  const live = () => manager.live();
  const ready = () => manager.ready();
  const server = createHttpServer({ live, ready, registry });
  const close = async () => {
    await manager.stop();
    await events.close();
    await server.close();
    await client.close();
  };
  let port: number;
  try {
    port = Number(new URL(await server.listen(config.http)).port);
    await manager.start();
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return { port, stop: () => (closing ??= close()) };
}

/** The caches, and what the leader does with them. */
function createWork(
  { config, clock, random, log }: AppOptions,
  { client, holds, registry }: { client: KubeClient; holds: () => boolean; registry: Registry },
) {
  const caches = createVoiceAgentCaches({
    client,
    namespaces: config.namespaces,
    clock,
    random,
    log,
  });
  const events = createEventRecorder({
    client,
    component: 'parley-operator',
    instance: config.lease?.identity ?? 'parley-operator',
    clock,
    log,
  });
  const controller = createVoiceAgentController({
    client: fencedClient(client, holds),
    caches,
    events,
    reports: new PodReports({ client: httpPodClient, clock, log }),
    written: new WrittenPods(clock),
    settings: config.pods,
    makeToken: () => randomBytes(32).toString('hex'),
    mayWrite: holds,
    metrics: createControllerMetrics(registry),
    clock,
    log,
  });
  return { caches: cachesOf(caches), events, controller };
}

async function createElection(
  { config, clock, random, log }: AppOptions,
  client: KubeClient,
  manager: () => Manager,
): Promise<LeaderElection | undefined> {
  const { lease, kubeconfig } = config;
  if (!lease) return undefined;
  const namespace =
    lease.namespace ?? (await namespaceOf(kubeconfig === undefined ? {} : { kubeconfig }));
  return createLeaderElection({
    client,
    namespace,
    name: lease.name,
    identity: lease.identity,
    clock,
    random,
    log,
    onElected: () => manager().elected(),
    onLost: () => manager().lost(),
  });
}
