import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Pinned, runPinned, startPinned } from './processes.ts';

const sip = '127.0.0.1:5566';
const isReady = (line: string): boolean => line.includes('ready');

export interface SipRate {
  /** Calls a second, each INVITE, 200, ACK, BYE, 200, that all succeeded without a retransmission. */
  readonly rate: number;
  /** Share of its core the server used at that rate. */
  readonly coreUsed: number;
}

/** Nanoseconds of CPU that all threads of a process have had. */
function cpuOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    )
    .reduce((sum, ns) => sum + ns, 0);
}

/** One rate for ten seconds; undefined when calls failed or had to be repeated. */
function tryRate(rate: number, server: Pinned, folder: string): SipRate | undefined {
  const before = cpuOf(server.pid);
  const started = performance.now();
  const stat = join(folder, `${rate}.csv`);
  const load = `-sn uac -i 127.0.0.1 -d 0 -r ${rate} -m ${rate * 10} -l 5000 -nostdin -timeout 30s`;
  const traces = `-trace_stat -stf ${stat} -fd 1 -trace_err -error_file ${join(folder, 'errors.log')}`;
  try {
    runPinned(1, `sipp ${load} ${traces} ${sip}`, 60_000);
  } catch {
    return undefined;
  }
  const elapsed = performance.now() - started;
  const rows = readFileSync(stat, 'utf8').trim().split('\n');
  const column = rows[0]?.split(';').indexOf('Retransmissions(C)') ?? -1;
  const retransmitted = Number(rows.at(-1)?.split(';')[column]);
  if (retransmitted > rate / 10 || elapsed > 13_000) return undefined;
  return { rate, coreUsed: (cpuOf(server.pid) - before) / 1e6 / elapsed };
}

function highest(rates: readonly number[], server: Pinned, folder: string): SipRate | undefined {
  let best: SipRate | undefined;
  for (const rate of rates) {
    const kept = tryRate(rate, server, folder);
    if (!kept) break;
    best = kept;
  }
  return best;
}

/** The SIP server on core 0 and an application that answers every call on core 1, with a folder for notes. */
async function withServer<T>(
  steps: (server: Pinned, folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'bench-secret');
  const node = process.execPath;
  const flags = `--listen udp://${sip} --drachtio 127.0.0.1:9566 --secret-file ${secret}`;
  const server = await startPinned(0, `${node} connector/src/sip-server.ts ${flags}`, isReady);
  const app = await startPinned(
    1,
    `${node} e2e/bench/uas-app.ts --port 9566 --secret bench-secret`,
    isReady,
  ).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  try {
    return await steps(server, folder);
  } finally {
    await app.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The highest of the rates that the SIP server on core 0 keeps, application and sipp on core 1. */
export function measureSipServer(rates: readonly number[]): Promise<SipRate | undefined> {
  return withServer((server, folder) => highest(rates, server, folder));
}

export interface Standing {
  /** Dialogs that were set up and not ended. */
  readonly dialogs: number;
  readonly rssBeforeMiB: number;
  /** When the transactions of their set-up are forgotten. */
  readonly rssMiB: number;
}

function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** Memory of the SIP server while so many dialogs are up. They are placed at 150 a second and never ended. */
export function measureDialogs(dialogs: number): Promise<Standing> {
  return withServer(async (server) => {
    const rssBeforeMiB = rssOf(server.pid);
    const call = resolve(import.meta.dirname, 'standing-call.xml');
    const load = `-sf ${call} -i 127.0.0.1 -r 150 -m ${dialogs} -l ${dialogs} -nostdin -timeout 120s`;
    runPinned(1, `sipp ${load} ${sip}`, 180_000);
    // Timers D, H and J of RFC 3261 §17 end within 32 s.
    await new Promise((done) => setTimeout(done, 35_000));
    return { dialogs, rssBeforeMiB, rssMiB: rssOf(server.pid) };
  });
}
