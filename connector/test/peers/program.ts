import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A foreign program that runs until it is ended, known by its child process. */
export interface Program {
  /** All that it printed, for when a test fails. */
  readonly said: readonly string[];
  end(): Promise<void>;
}

/** Starts a program and waits for a line that `isReady` takes, at most 10 s. */
export async function startProgram(
  command: readonly string[],
  isReady: (line: string) => boolean,
): Promise<Program> {
  const [name = '', ...args] = command;
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (isReady(line)) ready.resolve();
    });
  const tooLate = setTimeout(
    () => ready.reject(new Error(`${name} is not ready:\n${said.join('\n')}`)),
    10_000,
  );
  child.on('error', (error) => ready.reject(error));
  child.on('exit', (code) =>
    ready.reject(new Error(`${name} ended (${code}):\n${said.join('\n')}`)),
  );
  try {
    await ready.promise;
  } catch (error) {
    await end(child);
    throw error;
  } finally {
    clearTimeout(tooLate);
  }
  return { said, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const hurry = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(hurry);
}
