import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Holding } from './probe.ts';
import { type Addresses, type Subject, startSubject } from './subject.ts';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache/bench');

export interface SoakOptions {
  /** Calls that are up at any time; each lasts 3 to 30 s and is followed by the next. */
  readonly calls: number;
  /** Rounds of calls; between two of them no call is up, and what the process holds is noted. */
  readonly rounds: number;
  /** ms of a round. */
  readonly round: number;
  readonly at: Addresses;
  readonly onRound?: (round: Round) => void;
}

/** What was there when the calls of a round were over. */
export interface Round extends Holding {
  /** ms since the start. */
  readonly at: number;
  readonly callsPlaced: number;
  /** 20 ms frames that came back to their caller. */
  readonly framesBack: number;
  readonly activeCalls: number;
  readonly portsFree: number;
}

export interface Soak {
  /** Before the first call. */
  readonly before: Holding;
  readonly rounds: readonly Round[];
  readonly exitCode: number | null;
}

/** Runs calls with churn through a connector and notes between the rounds what it holds. */
export async function soak(options: SoakOptions): Promise<Soak> {
  const load = buildLoad();
  const subject = await startSubject(options.at);
  const rounds: Round[] = [];
  let before: Holding;
  try {
    before = await subject.hold();
    const started = performance.now();
    for (let count = 0; count < options.rounds; count++) {
      const placed = await churn(load, options, subject.pid);
      await untilQuiet(subject);
      const round = await roundOf(subject, { ...placed, at: performance.now() - started });
      rounds.push(round);
      options.onRound?.(round);
    }
  } catch (error) {
    await subject.stop();
    throw error;
  }
  return { before, rounds, exitCode: await subject.stop() };
}

function buildLoad(): string {
  mkdirSync(cache, { recursive: true });
  const binary = join(cache, 'load');
  const cwd = join(root, 'e2e/bench/load');
  const build = spawnSync('go', ['build', '-o', binary, '.'], { cwd, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`the load generator did not build: ${build.stderr}`);
  return binary;
}

interface Placed {
  readonly callsPlaced: number;
  readonly framesBack: number;
}

async function churn(binary: string, options: SoakOptions, pid: number): Promise<Placed> {
  const { calls, round, at } = options;
  const flags = `-mode churn -calls ${calls} -window ${round}ms -sip ${at.sip} -model ${at.model} -pid ${pid}`;
  const child = spawn(binary, flags.split(' '), { stdio: ['ignore', 'pipe', 'inherit'] });
  // A call more may begin shortly before the end, and its INVITE and BYE have 15 and 5 s.
  const limit = setTimeout(() => child.kill('SIGKILL'), round + 40_000);
  try {
    const output = await outputOf(child);
    const report = JSON.parse(output) as Placed & { failure?: string };
    if (report.failure !== undefined) throw new Error(`the load: ${report.failure}`);
    return report;
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
  }
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (text: Buffer) => {
    output += text.toString();
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`the load ended with ${child.exitCode}`);
  return output;
}

// Timer J of SIP over UDP lasts 32 s (RFC 3261 §17.2.2), and a freed port rests for a while.
const quietLimit = 60_000;

/** Until the calls are gone and with them the transactions that outlive them. */
async function untilQuiet(subject: Subject): Promise<void> {
  for (const end = performance.now() + quietLimit; performance.now() < end; ) {
    if ((await subject.metric('parley_calls_active')) === 0) break;
    await new Promise((done) => setTimeout(done, 500));
  }
  await new Promise((done) => setTimeout(done, 34_000));
}

async function roundOf(subject: Subject, placed: Placed & { at: number }): Promise<Round> {
  const activeCalls = await subject.metric('parley_calls_active');
  const portsFree = await subject.metric('parley_rtp_ports_free');
  return { ...(await subject.hold()), ...placed, activeCalls, portsFree };
}

/** Bytes by which the heap, after collections, grows in an hour: the slope of the line of least squares. */
export function heapGrowthPerHour(rounds: readonly Round[]): number {
  const mean = (of: (round: Round) => number) =>
    rounds.reduce((sum, round) => sum + of(round), 0) / rounds.length;
  const time = mean(({ at }) => at);
  const heap = mean((round) => round.heap);
  const spread = mean(({ at }) => (at - time) ** 2);
  const together = mean((round) => (round.at - time) * (round.heap - heap));
  return (together / spread) * 3_600_000;
}
