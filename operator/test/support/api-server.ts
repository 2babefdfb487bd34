import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { freePorts } from './free-ports.ts';
import { kubeconfigOf, makePki } from './test-pki.ts';
import { Hopeless, until } from './until.ts';

export { until } from './until.ts';

/**
 * A real kube-apiserver on a real etcd, on loopback and free ports: no kubelet, scheduler or controllers, so
 * pods stay Pending and nothing is garbage-collected. Its folder and processes end with `stop`.
 */
export interface TestApiServer {
  /** Path of a kubeconfig of an administrator (client certificate). */
  readonly kubeconfig: string;
  readonly url: string;
  /** Pid of the running kube-apiserver. */
  readonly pid: number;
  /** As administrator; resolves with status and parsed body, whatever the status. */
  fetch(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
  /** Creates the custom resource definitions of YAML or JSON files and waits until they are served. */
  applyCrds(...files: readonly string[]): Promise<void>;
  /** A namespace of its own name for one test. */
  createNamespace(): Promise<string>;
  /** Ends kube-apiserver (SIGKILL unless told otherwise); etcd keeps the data. */
  down(signal?: NodeJS.Signals): Promise<void>;
  /** Starts kube-apiserver again on the same port; resolves when ready. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

interface Site {
  readonly folder: string;
  readonly port: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
}

const binaries = [
  process.env['PARLEY_KUBE_BIN'],
  resolve(import.meta.dirname, '../../../.cache/cluster/bin'),
].filter((folder) => folder !== undefined);

function kubeApiServer(): string {
  const found = binaries
    .map((folder) => join(folder, 'kube-apiserver'))
    .find((file) => existsSync(file));
  if (found) return found;
  throw new Error(
    'kube-apiserver is not built: start e2e/cluster once, or name its folder in PARLEY_KUBE_BIN',
  );
}

/** Starts etcd and kube-apiserver; resolves when `/readyz` says so (3 to 6 s). */
export async function startApiServer(
  options: { crds?: readonly string[] } = {},
): Promise<TestApiServer> {
  const [port, etcdPort, etcdPeerPort] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), 'parley-apiserver-'));
  const site: Site = { folder, port: port!, etcdPort: etcdPort!, etcdPeerPort: etcdPeerPort! };
  makePki(folder);
  const server = new ApiServer(site);
  try {
    await server.up();
    await server.applyCrds(...(options.crds ?? []));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class ApiServer implements TestApiServer {
  readonly kubeconfig: string;
  readonly url: string;
  readonly #site: Site;
  readonly #etcd: ChildProcess;
  #process: ChildProcess | undefined;
  #namespaces = 0;

  constructor(site: Site) {
    this.#site = site;
    this.url = `https://127.0.0.1:${site.port}`;
    this.kubeconfig = join(site.folder, 'kubeconfig');
    writeFileSync(this.kubeconfig, kubeconfigOf(site.folder, this.url), { mode: 0o600 });
    this.#etcd = start(site.folder, 'etcd', etcdArguments(site));
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  fetch(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    const { folder, port } = this.#site;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((done, fail) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent: false,
          timeout: 10_000,
          ca: readFileSync(join(folder, 'ca.crt')),
          cert: readFileSync(join(folder, 'admin.crt')),
          key: readFileSync(join(folder, 'admin.key')),
          headers: payload === undefined ? {} : { 'content-type': 'application/json' },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => (text += chunk));
          incoming.on('error', fail);
          incoming.on('end', () => done({ status: incoming.statusCode ?? 0, body: parsed(text) }));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')));
      outgoing.on('error', fail);
      outgoing.end(payload);
    });
  }

  async applyCrds(...files: readonly string[]): Promise<void> {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    for (const file of files) {
      for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
        const crd = document.toJS() as { metadata: { name: string } };
        const { status, body } = await this.fetch('POST', path, crd);
        if (status !== 201) throw new Error(`${file}: ${status} ${JSON.stringify(body)}`);
        const own = `${path}/${crd.metadata.name}`;
        await until(`${crd.metadata.name} to be served`, 10_000, async () =>
          isEstablished((await this.fetch('GET', own)).body),
        );
      }
    }
  }

  async createNamespace(): Promise<string> {
    const name = `test-${process.pid}-${++this.#namespaces}`;
    const { status } = await this.fetch('POST', '/api/v1/namespaces', { metadata: { name } });
    if (status !== 201) throw new Error(`namespace ${name}: ${status}`);
    return name;
  }

  async down(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await end(this.#process, signal);
    this.#process = undefined;
  }

  async up(): Promise<void> {
    this.#process ??= start(this.#site.folder, kubeApiServer(), apiServerArguments(this.#site));
    const running = this.#process;
    await until('kube-apiserver', 60_000, async () => {
      if (running.exitCode !== null || this.#etcd.exitCode !== null)
        throw new Hopeless(`kube-apiserver or etcd ended: ${tail(this.#site.folder)}`);
      // The default namespace is made by the server itself, a moment after it is ready.
      return (
        (await this.fetch('GET', '/readyz')).status === 200 &&
        (await this.fetch('GET', '/api/v1/namespaces/default')).status === 200
      );
    });
  }

  async stop(): Promise<void> {
    await this.down();
    await end(this.#etcd, 'SIGKILL');
    rmSync(this.#site.folder, { recursive: true, force: true });
  }
}

function etcdArguments({ folder, etcdPort, etcdPeerPort }: Site): string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return flags({
    name: 'test',
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `test=${peer}`,
    logger: 'zap',
    'log-level': 'warn',
  });
}

function apiServerArguments({ folder, port, etcdPort }: Site): string[] {
  return flags({
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': port,
    'etcd-servers': `http://127.0.0.1:${etcdPort}`,
    'authorization-mode': 'RBAC',
    // Nobody makes the service accounts that pods would have to have.
    'disable-admission-plugins': 'ServiceAccount',
    'anonymous-auth': 'false',
    'allow-privileged': 'true',
    'client-ca-file': join(folder, 'ca.crt'),
    'tls-cert-file': join(folder, 'server.crt'),
    'tls-private-key-file': join(folder, 'server.key'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': join(folder, 'sa.pub'),
    'service-account-signing-key-file': join(folder, 'sa.key'),
    'service-cluster-ip-range': '10.96.0.0/24',
    'endpoint-reconciler-type': 'none',
    profiling: 'false',
  });
}

function flags(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** Program that asks the kernel for a signal when the parent dies. */
const deathBound = 'setpriv';

/** The child dies with us, even when we are killed. */
function start(folder: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a');
  const child = spawn(deathBound, ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await gone;
}

function tail(folder: string): string {
  return readFileSync(join(folder, 'log'), 'utf8').slice(-2000);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isEstablished(crd: unknown): boolean {
  const { status } = crd as { status?: { conditions?: { type: string; status: string }[] } };
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === 'Established' && value === 'True',
  );
}
