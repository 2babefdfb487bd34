import { resolve } from 'node:path';
import { systemClock } from '@parley/connector/base/clock';
import { silentLog } from '@parley/connector/base/log';
import { apiVersion } from '../../src/api/voice-agent.ts';
import { type App, startApp } from '../../src/app.ts';
import { type VoiceAgentObject, voiceAgents } from '../../src/controllers/voice-agent/resource.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { type Pod, pods, secrets } from '../../src/kube/kinds.ts';
import { isNotFound } from '../../src/kube/kube-error.ts';
import { startApiServer, type TestApiServer, until } from '../support/api-server.ts';
import { FakeNodes } from './fake-nodes.ts';

/** A kube-apiserver with nodes that play kubelet, and the operator beside it. */
export interface Site {
  readonly server: TestApiServer;
  readonly nodes: FakeNodes;
  readonly client: KubeClient;
  stop(): Promise<void>;
}

export async function startSite(names: readonly string[]): Promise<Site> {
  const crd = resolve(import.meta.dirname, '../../../crds/voiceagents.parley.dev.yaml');
  const server = await startApiServer({ crds: [crd] });
  const nodes = new FakeNodes(server.kubeconfig, names);
  await nodes.start();
  return {
    server,
    nodes,
    client: nodes.client,
    stop: async () => {
      await nodes.stop();
      await server.stop();
    },
  };
}

/** The operator for one namespace, leading without a lease. */
export function startOperator(site: Site, namespaces: readonly string[]): Promise<App> {
  return startApp({
    config: {
      kubeconfig: site.server.kubeconfig,
      namespaces,
      pods: { image: 'connector:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
      http: { host: '127.0.0.1', port: 0 },
      lease: undefined,
      logLevel: 'silent',
    },
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    onLost: () => undefined,
  });
}

const spec = {
  direct: { sourceRanges: ['198.51.100.0/24'] },
  greeting: 'Good morning.',
  providers: [{ openai: { apiKeySecretRef: { name: 'openai', key: 'key' } } }],
  replicas: 1,
  drain: { timeoutSeconds: 600 },
};

/** One agent in a namespace of its own. */
export class Agent {
  readonly namespace: string;
  readonly name = 'pizza';
  readonly #client: KubeClient;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  async create(overrides: object = {}): Promise<void> {
    const { namespace, name } = this;
    await this.#client.create(
      voiceAgents,
      {
        apiVersion,
        kind: 'VoiceAgent',
        metadata: { namespace, name },
        spec: { ...spec, ...overrides },
      },
      { fieldManager: 'test' },
    );
  }

  async change(changed: object): Promise<void> {
    const patch = { type: 'merge', body: { spec: changed } } as const;
    await this.#client.patch(voiceAgents, this, { fieldManager: 'test', patch });
  }

  async setSecret(name: string, data: Record<string, string>): Promise<void> {
    const { namespace } = this;
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name },
      data: Object.fromEntries(
        Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
      ),
    };
    await this.#client.applyServerSide(secrets, object, { fieldManager: 'test', force: true });
  }

  delete(): Promise<void> {
    return this.#client.delete(voiceAgents, this);
  }

  get(): Promise<VoiceAgentObject | undefined> {
    return this.#client.find(voiceAgents, this);
  }

  async pods(): Promise<readonly Pod[]> {
    const found = await this.#client.list(pods, { namespace: this.namespace });
    return found.toSorted((a, b) => (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? ''));
  }

  async podNames(): Promise<string[]> {
    return (await this.pods()).map(({ metadata }) => metadata?.name ?? '');
  }

  /** `True`, `False SecretNotFound` … of a condition. */
  async condition(type: string): Promise<string> {
    const { status } = (await this.get()) ?? {};
    const found = status?.conditions?.find((one) => one.type === type);
    if (!found) return 'none';
    return found.status === 'True' ? 'True' : `${found.status} ${found.reason}`;
  }

  async isCondition(type: string, wanted: string, limit = 15_000): Promise<void> {
    let last = '';
    await until(`${type} to be ${wanted}`, limit, async () => {
      last = await this.condition(type);
      return last === wanted;
    }).catch(async (error: unknown) => {
      const { status } = (await this.get()) ?? {};
      throw new Error(`${String(error)}; it is ${last}: ${JSON.stringify(status?.conditions)}`);
    });
  }

  /** By force: their slots are free for the next test. */
  async removePods(): Promise<void> {
    for (const { metadata } of await this.pods())
      await this.#client
        .delete(
          pods,
          { namespace: this.namespace, name: metadata?.name ?? '' },
          { gracePeriodSeconds: 0 },
        )
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
  }

  async hasPods(count: number, limit = 15_000): Promise<void> {
    await until(`${count} pods`, limit, async () => (await this.pods()).length === count);
  }
}
