import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export const root = resolve(import.meta.dirname, '../..');

/** A call as the API of the connector tells it. */
export interface ApiCall {
  readonly id: string;
  readonly state: string;
  readonly timings: Readonly<Record<string, number>>;
  readonly transcript: readonly { readonly role: string; readonly text: string }[];
  readonly termination?: { readonly result: string; readonly reason: string };
}

export interface ConnectorOptions {
  /** Where the example's kitchen really is. */
  readonly kitchenPort: number;
}

/** The connector as its users run it: a process of its own, on the pizza example. */
export class Connector {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #token: string;
  readonly #log: string[] = [];
  #ready: { readonly sip: readonly string[]; readonly http: string } | undefined;

  #isLoaded = false;

  constructor({ kitchenPort }: ConnectorOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'parley-talk-'));
    this.#token = randomBytes(16).toString('hex');
    const example = readFileSync(join(root, 'examples/pizza.yaml'), 'utf8');
    const file = join(this.#folder, 'pizza.yaml');
    writeFileSync(file, example.replaceAll('127.0.0.1:5070', `127.0.0.1:${kitchenPort}`));
    this.#child = spawn(process.execPath, [join(root, 'connector/src/main.ts'), 'run', file], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // Whatever else runs on this machine is not disturbed.
        PARLEY_SIP_LISTEN: 'udp://127.0.0.1:0',
        PARLEY_HTTP_LISTEN: '127.0.0.1:0',
        PARLEY_HTTP_TOKEN: this.#token,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
  }

  /** Port of its first SIP listener. */
  get sipPort(): number {
    return Number(this.#ready?.sip[0]?.split(':').at(-1));
  }

  /** The last lines it wrote. */
  get log(): readonly string[] {
    return this.#log.slice(-15);
  }

  /** Resolves when /readyz says so and the offline AI is loaded; rejects when it ends before. */
  async ready(): Promise<void> {
    for (;;) {
      if (this.#hasEnded) throw new Error('the connector ended before it was ready');
      if (this.#isLoaded && this.#ready && (await this.#isReady(this.#ready.http))) return;
      await delay(50);
    }
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #isReady(http: string): Promise<boolean> {
    return fetch(`${http}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Ids of its calls, the ended ones that it remembers among them. */
  async calls(): Promise<string[]> {
    const { calls } = await this.#get<{ calls: { id: string }[] }>('/v1/calls');
    return calls.map(({ id }) => id);
  }

  call(id: string): Promise<ApiCall> {
    return this.#get<ApiCall>(`/v1/calls/${encodeURIComponent(id)}`);
  }

  async #get<Result>(path: string): Promise<Result> {
    const response = await fetch(`${this.#ready?.http}${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as Result;
  }

  /** SIGTERM, its time to end, and what it left behind. */
  async close(): Promise<void> {
    if (!this.#hasEnded) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const kill = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(kill);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #onLine(line: string): void {
    this.#log.push(line);
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line) as { msg?: string; sip?: string[]; http?: string };
    if (entry.msg === 'ready' && entry.sip && entry.http)
      this.#ready = { sip: entry.sip, http: entry.http };
    if (entry.msg === 'local engines ready') this.#isLoaded = true;
  }
}
