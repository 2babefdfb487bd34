import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Holding } from './probe.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Addresses {
  readonly sip: string;
  readonly http: string;
  readonly model: string;
}

/** The connector as a process of its own that can be asked what it holds. */
export interface Subject {
  readonly pid: number;
  hold(): Promise<Holding>;
  /** A figure of /metrics, the sum over its labels. */
  metric(name: string): Promise<number>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

export async function startSubject(at: Addresses): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-soak-'));
  const file = join(folder, 'connector.json');
  writeFileSync(file, JSON.stringify(configOf(at)));
  const child = fork(join(root, 'connector/src/main.ts'), ['run', file], {
    execArgv: ['--expose-gc', '--import', join(import.meta.dirname, 'probe.ts')],
    env: { ...process.env, OPENAI_API_KEY: 'soak' },
    // The log is not read: it must not fill a pipe.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const metrics = async () => (await fetch(`http://${at.http}/metrics`)).text();
  const subject: Subject = {
    pid: child.pid ?? 0,
    async hold() {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(30_000) });
      child.send('hold');
      const [holding] = (await answer) as [Holding];
      return holding;
    },
    metric: async (name) => sumOf(await metrics(), name),
    async stop() {
      if (child.exitCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }
      rmSync(folder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
  await untilReady(child, at.http).catch(async (error: unknown) => {
    await subject.stop();
    throw error;
  });
  return subject;
}

function configOf({ sip, http, model }: Addresses) {
  return {
    sip: { listen: [`udp://${sip}`] },
    rtp: { address: '127.0.0.1', ports: '32000-33999' },
    http: { listen: http },
    log: { level: 'warn' },
    agent: { providers: [{ openai: { url: `ws://${model}/v1` } }], maxCalls: 500 },
  };
}

async function untilReady(child: ChildProcess, http: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`the connector ended with ${child.exitCode}`);
    const ok = await fetch(`http://${http}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the connector did not get ready');
}

function sumOf(text: string, name: string): number {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return values.reduce((sum, value) => sum + value, 0);
}
