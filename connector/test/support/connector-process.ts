import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const main = resolve(import.meta.dirname, '../../src/main.ts');

/** The whole connector as its users run it: a process with a file, known by its log. */
export interface ConnectorProcess {
  /** Log lines so far, parsed; lines that are no JSON are left out. */
  readonly log: readonly Record<string, unknown>[];
  /** Calls that are up, by its own metrics. */
  activeCalls(): Promise<number>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts it with `config` in a file, or where there is `env`, with that alone; resolves when `/readyz`
 * says so. To be called in a test, which it does not outlive.
 */
export async function startConnector(
  config: { readonly http: { readonly listen: string } },
  env?: Readonly<Record<string, string>>,
): Promise<ConnectorProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-connector-'));
  const file = join(folder, 'connector.json');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, env ? [main, 'run'] : [main, 'run', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: env ?? { ...process.env, OPENAI_API_KEY: 'test-key' },
  });
  onTestFinished(() => {
    if (isRunning(child)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const log: Record<string, unknown>[] = [];
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('{')) log.push(JSON.parse(line) as Record<string, unknown>);
    });
  await untilReady(child, `http://${config.http.listen}`, lines);
  return {
    log,
    async activeCalls() {
      const text = await (await fetch(`http://${config.http.listen}/metrics`)).text();
      return Number(/^parley_calls_active(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
    },
    async stop() {
      if (isRunning(child)) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

async function untilReady(child: ChildProcess, url: string, lines: readonly string[]) {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (!isRunning(child)) throw new Error(`the connector ended:\n${lines.join('\n')}`);
    const ok = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`the connector did not get ready:\n${lines.join('\n')}`);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
