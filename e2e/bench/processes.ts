import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A child on one core, known by pid and ended by it. */
export interface Pinned {
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts `command` (words between spaces) on `core` and resolves with the first line of output that `isReady` takes.
 * `taskset` replaces itself by the command, so the pid is the command's own.
 */
export async function startPinned(
  core: number,
  command: string,
  isReady: (line: string) => boolean,
): Promise<Pinned> {
  const child = spawn('taskset', ['-c', String(core), ...command.split(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OPENAI_API_KEY: 'bench' },
  });
  await lineOf(child, isReady, command);
  if (child.pid === undefined) throw new Error(`${command}: did not start`);
  return {
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      const hurry = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await once(child, 'exit');
      clearTimeout(hurry);
    },
  };
}

function lineOf(child: ChildProcess, isReady: (line: string) => boolean, name: string) {
  return new Promise<void>((resolve, reject) => {
    const tail: string[] = [];
    const limit = setTimeout(() => fail('not ready in 20 s'), 20_000);
    const fail = (why: string): void => {
      clearTimeout(limit);
      reject(new Error(`${name}: ${why}\n${tail.join('\n')}`));
    };
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code) => fail(`exit ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        tail.push(line);
        if (tail.length > 20) tail.shift();
        if (!isReady(line)) return;
        clearTimeout(limit);
        resolve();
      });
    }
  });
}

/** Runs `command` on `core` to its end and returns what it printed; throws with its errors otherwise. */
export function runPinned(core: number, command: string, limit: number): string {
  const run = spawnSync('taskset', ['-c', String(core), ...command.split(' ')], {
    encoding: 'utf8',
    timeout: limit,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`${command}: ${run.stderr || run.error?.message}`);
  return run.stdout;
}
