import { execFile } from 'node:child_process';
import { binary } from './layout.ts';
import { until } from './shell.ts';

/** A Kubernetes object, as far as tests look into it. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

/**
 * Runs a program to its end without blocking, for a telephone in this process must send a packet each
 * 20 ms meanwhile. Rejects with what it wrote to standard error.
 */
export function execute(
  program: string,
  args: readonly string[],
  { input, env }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || stdout}`));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}

/** kubectl in one namespace of one cluster. */
export class Kubectl {
  readonly kubeconfig: string;
  readonly namespace: string;

  constructor(kubeconfig: string, namespace = 'default') {
    this.kubeconfig = kubeconfig;
    this.namespace = namespace;
  }

  in(namespace: string): Kubectl {
    return new Kubectl(this.kubeconfig, namespace);
  }

  run(args: readonly string[], input?: string): Promise<string> {
    const place = ['--kubeconfig', this.kubeconfig, '--namespace', this.namespace];
    return execute(binary('kubectl'), [...place, ...args], input === undefined ? {} : { input });
  }

  /** Rejects with what the API server has against it. */
  async apply(object: object): Promise<void> {
    await this.run(['apply', '--filename', '-'], JSON.stringify(object));
  }

  async get<T extends KubeObject>(kind: string, name: string): Promise<T> {
    return JSON.parse(await this.run(['get', kind, name, '--output', 'json'])) as T;
  }

  async list<T extends KubeObject>(kind: string, selector = ''): Promise<T[]> {
    const found = await this.run(['get', kind, '--selector', selector, '--output', 'json']);
    return (JSON.parse(found) as { items: T[] }).items;
  }

  async patch(kind: string, name: string, change: object): Promise<void> {
    await this.run(['patch', kind, name, '--type', 'merge', '--patch', JSON.stringify(change)]);
  }

  /** Deletes and waits until it is gone; what is not there is no fault. */
  async delete(kind: string, name: string, timeoutSeconds = 60): Promise<void> {
    const options = ['--ignore-not-found', '--wait', `--timeout=${timeoutSeconds}s`];
    await this.run(['delete', kind, name, ...options]);
  }

  /** Waits for an object to be as `isWanted` says, and returns it. */
  async until<T extends KubeObject>(
    [kind, name]: readonly [kind: string, name: string],
    isWanted: (object: T) => boolean,
    limit = 60_000,
  ): Promise<T> {
    let last: T | undefined;
    await until(`${kind} ${name}`, limit, async () => {
      last = await this.get<T>(kind, name);
      return isWanted(last);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
    });
    return last as T;
  }
}
