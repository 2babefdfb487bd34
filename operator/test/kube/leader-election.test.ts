import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startApiServer, type TestApiServer, until } from '../support/api-server.ts';

let server: TestApiServer;
const running: Candidate[] = [];

beforeAll(async () => {
  server = await startApiServer();
}, 90_000);

afterEach(async () => {
  for (const candidate of running.splice(0)) await candidate.end('SIGKILL');
  await server.fetch('DELETE', `/apis/coordination.k8s.io/v1/namespaces/default/leases/candidates`);
});

afterAll(() => server.stop());

/** A process that runs for leadership; see support/candidate.ts. */
class Candidate {
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  exitCode: number | undefined;

  constructor(identity: string) {
    const program = new URL('../support/candidate.ts', import.meta.url);
    this.#process = spawn(process.execPath, [fileURLToPath(program), server.kubeconfig, identity], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout?.setEncoding('utf8');
    this.#process.stdout?.on('data', (text: string) => this.said.push(...text.trim().split('\n')));
    this.#process.on('exit', (code, signal) => (this.exitCode = signal ? -1 : (code ?? -1)));
    running.push(this);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.exitCode === undefined) this.kill(signal);
    await until('a candidate to end', 10_000, () => this.exitCode !== undefined);
  }

  says(word: string): Promise<void> {
    return until(`a candidate to say ${word}`, 20_000, () => this.said.includes(word));
  }
}

async function pair(): Promise<[Candidate, Candidate]> {
  const first = new Candidate('first');
  await first.says('elected');
  const second = new Candidate('second');
  await second.says('started');
  return [first, second];
}

/** Who wrote last, and when that write was decided. */
async function lastWrite(): Promise<{ identity: string; at: number }> {
  const { body } = await server.fetch('GET', '/api/v1/namespaces/default/configmaps/written-by');
  const { identity = '', at = '0' } = (body as { data?: Record<string, string> }).data ?? {};
  return { identity, at: Number(at) };
}

test('a leader that was stopped and wakes up notices that it lost, and writes nothing more', async () => {
  const [first, second] = await pair();
  await until('the first to write', 5000, async () => (await lastWrite()).identity === 'first');
  first.kill('SIGSTOP');
  await second.says('elected');
  const elected = Date.now();
  await until('the second to write', 5000, async () => (await lastWrite()).identity === 'second');
  first.kill('SIGCONT');
  await first.says('lost');
  const late: number[] = [];
  for (let n = 0; n < 20; n++) {
    const { identity, at } = await lastWrite();
    if (identity === 'first') late.push(at);
  }
  // What was on its way when the process stopped may arrive now: that is what preconditions are for.
  expect(late.filter((at) => at > elected - 1000)).toEqual([]);
  await until('the first to end', 5000, () => first.exitCode !== undefined);
  expect(first.exitCode).toBe(3);
  expect(second.said).not.toContain('lost');
  expect((await lastWrite()).identity).toBe('second');
}, 60_000);

test('a leader that is killed is followed when its lease is over', async () => {
  const [first, second] = await pair();
  const began = performance.now();
  await first.end('SIGKILL');
  await second.says('elected');
  // The last renewal of the lease of 5 s was up to a retry ago.
  expect(performance.now() - began).toBeGreaterThan(3400);
}, 60_000);

test('a leader that goes releases the lease, and the next one need not wait for its end', async () => {
  const [first, second] = await pair();
  const began = performance.now();
  await first.end('SIGTERM');
  expect(first.exitCode).toBe(0);
  await second.says('elected');
  expect(performance.now() - began).toBeLessThan(4400);
}, 60_000);

test('a leader without an API server gives up by itself', async () => {
  const first = new Candidate('first');
  await first.says('elected');
  await server.down();
  await first.says('lost');
  expect(first.said.filter((line) => !line.startsWith('refused'))).toEqual([
    'started',
    'elected',
    'lost',
  ]);
  await server.up();
}, 90_000);
