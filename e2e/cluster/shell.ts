import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { folders } from './layout.ts';

/** Runs a command to its end and returns its output; throws with its errors when it fails. */
export function run(command: string, options: { input?: string; cwd?: string } = {}): string {
  const [program = '', ...args] = command.split(' ');
  return runArgs(program, args, options);
}

/** As `run`, for arguments that hold spaces. */
export function runArgs(
  program: string,
  args: readonly string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (done.status === 0) return done.stdout;
  const said = done.error?.message ?? (done.stderr || done.stdout).trim();
  throw new Error(`${program} ${args.join(' ')}: ${said}`);
}

/** Runs a command whose failure means nothing, such as removing what is not there. */
export function attempt(command: string): boolean {
  try {
    run(command);
    return true;
  } catch {
    return false;
  }
}

const pidFolder = join(folders.state, 'pids');

/** Starts a process that outlives us; known afterwards by its pid file. */
export function startDaemon(name: string, command: string, env: NodeJS.ProcessEnv = {}): void {
  const [program = '', ...args] = command.split(' ');
  mkdirSync(pidFolder, { recursive: true });
  const log = openSync(join(folders.state, `${name}.log`), 'a');
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  child.unref();
  if (child.pid === undefined) throw new Error(`${name} did not start (${program})`);
  writeFileSync(join(pidFolder, name), `${child.pid} ${startTimeOf(child.pid)}`);
}

/** Names of the daemons that were started and not stopped. */
export function daemons(): string[] {
  try {
    return readdirSync(pidFolder);
  } catch {
    return [];
  }
}

/** The pid of a daemon, if that very process still lives (a pid alone may have been given away). */
export function pidOf(name: string): number | undefined {
  try {
    const [pid, started] = readFileSync(join(pidFolder, name), 'utf8').split(' ');
    return startTimeOf(Number(pid)) === started ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** Ends a daemon by `signal` and waits until it is gone. */
export async function stopDaemon(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const pid = pidOf(name);
  if (pid !== undefined) process.kill(pid, signal);
  await until(`${name} to end`, 10_000, () => pidOf(name) === undefined);
  rmSync(join(pidFolder, name), { force: true });
}

/** Field 22 of /proc/PID/stat; empty for a process that is gone or a zombie. */
function startTimeOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

/** Waits for `isDone`, asking each 100 ms; an error it throws is what is told when time is up. */
export async function until(
  what: string,
  limit: number,
  isDone: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limit;
  let last: unknown;
  while (performance.now() < end) {
    try {
      if (await isDone()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${limit / 1000} s for ${what}`, { cause: last });
}
