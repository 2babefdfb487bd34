import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const program = resolve(import.meta.dirname, '../../src/sip-server.ts');

export const secret = 'open sesame';

/** `sip-server --journal` as a process that can be killed and started again on the same ports. */
export class JournalledServer {
  readonly sipPort: number;
  readonly drachtioPort: number;
  readonly folder = mkdtempSync('/dev/shm/parley-survival-');
  #process: ChildProcess | undefined;

  constructor(ports: { sip: number; drachtio: number }) {
    this.sipPort = ports.sip;
    this.drachtioPort = ports.drachtio;
    writeFileSync(join(this.folder, 'secret'), secret);
  }

  /** Resolves, when it is ready, to the ms that took. */
  async start(): Promise<number> {
    const before = performance.now();
    const flags = [
      ['--listen', `udp://127.0.0.1:${this.sipPort}`],
      ['--drachtio', `127.0.0.1:${this.drachtioPort}`],
      ['--secret-file', join(this.folder, 'secret')],
      ['--journal', join(this.folder, 'journal')],
    ].flat();
    const child = spawn(process.execPath, [program, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    const ready = Promise.withResolvers<number>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"ready"')) ready.resolve(performance.now() - before);
    });
    child.once('exit', (code) => ready.reject(new Error(`sip-server ended: ${code}`)));
    return ready.promise;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
