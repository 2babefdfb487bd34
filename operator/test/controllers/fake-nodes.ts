import { createServer, type Server } from 'node:http';
import { systemClock } from '@parley/connector/base/clock';
import { silentLog } from '@parley/connector/base/log';
import { portTakenExitCode } from '@parley/connector/contract/pod';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/create-kube-client.ts';
import { configMaps, type Node, nodes, type Pod, pods } from '../../src/kube/kinds.ts';
import { isNotFound } from '../../src/kube/kube-error.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { agentLabel } from '../../src/pods/names.ts';

/**
 * Scheduler and kubelets in miniature, on a real API server: pods are bound to nodes where their ports are
 * free, become ready, answer the operator's HTTP calls, and go when they are deleted. Each node is a
 * loopback address of its own.
 */
export class FakeNodes {
  readonly client: KubeClient;
  readonly #names: readonly string[];
  readonly #base: string;
  readonly #down = new Set<string>();
  readonly #connectors = new Map<string, Connector>();
  /** `node/port`s that another program has. */
  readonly #foreign = new Set<string>();
  #isStarting = true;
  #isRunning = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(kubeconfig: string, names: readonly string[]) {
    this.client = createKubeClient({ kubeconfig, clock: systemClock, log: silentLog });
    this.#names = names;
    // One of 60000 networks of loopback: other tests run beside this one.
    this.#base = `127.${1 + (process.pid % 250)}.${1 + (Math.floor(process.pid / 250) % 250)}`;
  }

  async start(): Promise<void> {
    for (const name of this.#names) {
      await this.client.create(nodes, { metadata: { name } }, { fieldManager: 'test' });
      await this.#setReady(name, 'True');
      // The API server taints what is not Ready yet; who would take that away does not run here.
      await this.setTaints(name, []);
    }
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#loop;
    await Promise.all([...this.#connectors.values()].map((connector) => connector.close()));
    await this.client.close();
  }

  /** The connector in a pod, as soon as it runs. */
  connector(pod: string): Connector {
    // Agents of the same name follow each other in these tests: the newest is meant.
    const found = [...this.#connectors.values()].findLast(({ name }) => name === pod);
    if (!found) throw new Error(`${pod} does not run`);
    return found;
  }

  /** New pods do not become ready from now on: they crash. */
  breakNewPods(isBroken = true): void {
    this.#isStarting = !isBroken;
  }

  occupy(slot: number): void {
    for (const node of this.#names) this.#foreign.add(`${node}/${slot}`);
  }

  vacate(): void {
    this.#foreign.clear();
  }

  async setTaints(name: string, taints: readonly object[]): Promise<void> {
    const patch = { type: 'merge', body: { spec: { taints } } } as const;
    await this.client.patch(nodes, { name }, { fieldManager: 'test', patch });
  }

  /** The power of a node is cut: its pods answer nothing, its kubelet does nothing. */
  async powerOff(name: string): Promise<void> {
    this.#down.add(name);
    await this.#setReady(name, 'Unknown');
    for (const connector of this.#connectors.values())
      if (connector.node === name) await connector.close();
  }

  async powerOn(name: string): Promise<void> {
    this.#down.delete(name);
    for (const [uid, { node }] of this.#connectors) if (node === name) this.#connectors.delete(uid);
    await this.#setReady(name, 'True');
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const all = [...(await this.client.list(pods, { labelSelector: agentLabel }))];
      await this.#forgetGone(new Set(all.map(uidOf)));
      for (const pod of all)
        await this.#tend(pod, all).catch((error: unknown) => {
          // The operator, or a test, was quicker.
          if (!isNotFound(error) && !isRace(error)) throw error;
        });
      await new Promise((done) => setTimeout(done, 30));
    }
  }

  /** Removed by force: a kubelet ends what is not there any more. */
  async #forgetGone(uids: ReadonlySet<string>): Promise<void> {
    for (const [uid, connector] of this.#connectors) {
      if (uids.has(uid) || this.#down.has(connector.node)) continue;
      await connector.close();
      this.#connectors.delete(uid);
    }
  }

  async #tend(pod: Pod, all: Pod[]): Promise<void> {
    const node = pod.spec?.nodeName;
    if (!node) return this.#bind(pod, all);
    if (this.#down.has(node)) return undefined;
    if (pod.metadata?.deletionTimestamp) return this.#end(pod);
    if (this.#foreign.has(`${node}/${pod.metadata?.labels?.['parley.dev/slot']}`))
      return this.#crash(pod, portTakenExitCode);
    const known = this.#connectors.get(uidOf(pod));
    if (known) {
      await this.#syncVolumes(pod, known);
      return this.#report(pod, known);
    }
    return this.#isStarting ? this.#boot(pod, node) : this.#crash(pod, 1);
  }

  async #bind(pod: Pod, all: Pod[]): Promise<void> {
    const free = this.#names.find(
      (name) =>
        !this.#down.has(name) &&
        all.every((other) => other.spec?.nodeName !== name || slotOf(other) !== slotOf(pod)),
    );
    if (!free) return this.#refuse(pod);
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const binding: KubeObject & { target: object } = {
      metadata: { namespace, name },
      target: { kind: 'Node', name: free },
    };
    await this.client.create(
      {
        group: '',
        version: 'v1',
        kind: 'Binding',
        plural: `pods/${name}/binding`,
        namespaced: true,
      },
      binding,
      { fieldManager: 'test' },
    );
    all[all.indexOf(pod)] = { ...pod, spec: { containers: [], nodeName: free } };
  }

  /** In the words of the real scheduler. */
  async #refuse(pod: Pod): Promise<void> {
    if (pod.status?.conditions?.some(({ type }) => type === 'PodScheduled')) return;
    const count = this.#names.length;
    const message = `0/${count} nodes are available: ${count} node(s) didn't have free ports for the requested pod ports.`;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    };
    await this.#patchStatus(pod, { conditions: [condition] });
  }

  async #boot(pod: Pod, node: string): Promise<void> {
    const connector = new Connector(pod, node, this.#hostOf(node));
    await connector.listen();
    this.#connectors.set(uidOf(pod), connector);
  }

  /** As kubelet does when a pod's annotations change, and only then. */
  async #syncVolumes(pod: Pod, connector: Connector): Promise<void> {
    const content = pod.metadata?.annotations?.['parley.dev/content'] ?? '';
    if (connector.content === content) return;
    const { namespace = '', labels } = pod.metadata ?? {};
    const name = `${labels?.[agentLabel]}-parley-config`;
    const { data } = await this.client.get(configMaps, { namespace, name });
    const file = JSON.parse(data?.['connector.json'] ?? '{}') as { revision: string };
    connector.revision = file.revision;
    connector.content = content;
  }

  async #report(pod: Pod, connector: Connector): Promise<void> {
    const ready = connector.isDraining ? 'False' : 'True';
    const before = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    if (before === ready) return;
    await this.#patchStatus(pod, {
      phase: 'Running',
      hostIP: connector.host,
      hostIPs: [{ ip: connector.host }],
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: ready },
      ],
      containerStatuses: [statusOf({ ready: ready === 'True', state: { running: {} } })],
    });
  }

  async #crash(pod: Pod, exitCode: number): Promise<void> {
    if (pod.status?.containerStatuses?.[0]?.restartCount === 5) return;
    const terminated = { exitCode, reason: 'Error' };
    await this.#patchStatus(pod, {
      phase: 'Running',
      hostIP: this.#hostOf(pod.spec?.nodeName ?? ''),
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [
        statusOf({
          ready: false,
          restartCount: 5,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated },
        }),
      ],
    });
  }

  async #end(pod: Pod): Promise<void> {
    const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
    const connector = this.#connectors.get(uid);
    // Told to end, a connector finishes its calls first.
    if (connector && connector.activeCalls > 0) return;
    await connector?.close();
    this.#connectors.delete(uid);
    await this.client.delete(pods, { namespace, name }, { uid, gracePeriodSeconds: 0 });
  }

  #hostOf(node: string): string {
    return `${this.#base}.${10 + this.#names.indexOf(node)}`;
  }

  async #patchStatus(pod: Pod, status: object): Promise<void> {
    const { namespace = '', name = '' } = pod.metadata ?? {};
    await this.client.patch(
      pods,
      { namespace, name },
      {
        fieldManager: 'kubelet',
        subresource: 'status',
        patch: { type: 'strategic', body: { status } },
      },
    );
  }

  async #setReady(name: string, status: string): Promise<void> {
    const condition = { type: 'Ready', status, reason: 'Test', message: 'test' };
    await this.client.patch<Node>(
      nodes,
      { name },
      {
        fieldManager: 'kubelet',
        subresource: 'status',
        patch: { type: 'strategic', body: { status: { conditions: [condition] } } },
      },
    );
  }
}

function statusOf(overrides: object): object {
  return {
    name: 'connector',
    image: 'connector:1',
    imageID: '',
    restartCount: 0,
    ready: false,
    ...overrides,
  };
}

function slotOf(pod: Pod): string | undefined {
  return pod.metadata?.labels?.['parley.dev/slot'];
}

function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? '';
}

function isRace(error: unknown): boolean {
  return (error as { status?: number }).status === 409;
}

/** What a pod of the operator answers (contract/pod.ts), and nothing else. */
class Connector {
  readonly name: string;
  readonly node: string;
  readonly host: string;
  activeCalls = 0;
  /** Of the configuration it read last, and of the state of its volumes. */
  revision = '';
  content = '';
  isDraining = false;
  provider = { isReady: true, reason: 'Connected', message: 'openai works' };
  /** Of requests; the operator must send one. */
  readonly tokens = new Set<string>();
  #epoch = 0;
  readonly #port: number;
  readonly #server: Server;

  constructor(pod: Pod, node: string, host: string) {
    this.name = pod.metadata?.name ?? '';
    this.node = node;
    this.host = host;
    const ports = pod.spec?.containers[0]?.ports ?? [];
    this.#port = ports.find(({ name }) => name === 'http')?.containerPort ?? 0;
    this.#server = createServer((request, response) => {
      const token = /^Bearer (\S{32,})$/.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) return response.writeHead(401).end();
      this.tokens.add(token);
      const wanted = `${request.method} ${request.url}`;
      if (wanted === 'PUT /v1/drain') this.#setDraining(true);
      else if (wanted === 'DELETE /v1/drain') this.#setDraining(false);
      else if (wanted !== 'GET /v1/status') return response.writeHead(404).end();
      return response.end(JSON.stringify(this.#status()));
    });
  }

  listen(): Promise<void> {
    return new Promise((done, fail) => {
      this.#server.once('error', fail);
      this.#server.listen(this.#port, this.host, () => done());
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(() => done()));
  }

  #setDraining(isDraining: boolean): void {
    if (this.isDraining !== isDraining) this.#epoch += 1;
    this.isDraining = isDraining;
  }

  #status(): object {
    return {
      activeCalls: this.activeCalls,
      isDraining: this.isDraining,
      epoch: this.#epoch,
      revision: this.revision,
      provider: this.provider,
    };
  }
}
