import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const program = resolve(import.meta.dirname, '../../src/sip-server.ts');

export const secret = 'open sesame';

/** The line that says where it listens. */
interface Ready {
  readonly msg: string;
  readonly drachtioPort: number;
  readonly listenPoints: readonly { readonly protocol: string; readonly port: number }[];
}

/**
 * `sip-server --journal` as a process that can be killed and started again on the same ports, which the
 * system chose at its first start.
 */
export class JournalledServer {
  readonly folder = mkdtempSync('/dev/shm/parley-survival-');
  drachtioPort = 0;
  sipPort = 0;
  tcpPort = 0;
  #process: ChildProcess | undefined;

  constructor() {
    writeFileSync(join(this.folder, 'secret'), secret);
  }

  /** Resolves, when it is ready, to the ms of processor time that took: others' work does not count. */
  async start(): Promise<number> {
    const flags = [
      ['--listen', `udp://127.0.0.1:${this.sipPort}`],
      ['--listen', `tcp://127.0.0.1:${this.tcpPort}`],
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
      const said = JSON.parse(line) as Ready;
      if (said.msg !== 'ready') return;
      this.#learnPorts(said);
      ready.resolve(processorTimeOf(child.pid));
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

  #learnPorts({ drachtioPort, listenPoints }: Ready): void {
    this.drachtioPort = drachtioPort;
    const portOf = (protocol: string) =>
      listenPoints.find((point) => point.protocol === protocol)?.port ?? 0;
    this.sipPort = portOf('udp');
    this.tcpPort = portOf('tcp');
  }
}

/** User and system time (proc(5)), in ms; Linux counts hundredths of a second. */
function processorTimeOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
