/** `make bench`: the table of docs/performance.md. Process under test on core 0, all else on core 1. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Load, type LoadReport, measure } from './media-load.ts';
import { startPinned } from './processes.ts';
import { measureDialogs, measureSipServer } from './sip-load.ts';

const cache = '.cache/bench';
const binary = `${cache}/load`;
const sip = '127.0.0.1:5567';
const model = '127.0.0.1:8766';

interface Row {
  readonly figure: string;
  readonly value: string;
  readonly target: string;
  readonly met: boolean;
}

const rows: Row[] = [];

interface Measured {
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
}

function row(figure: string, { value, unit, limit }: Measured): void {
  rows.push({
    figure,
    value: `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`,
    target: `≤ ${limit} ${unit}`,
    met: value <= limit,
  });
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function buildLoad(): void {
  say('building the load generator');
  const build = spawnSync('go', ['build', '-o', `../../../${binary}`, '.'], {
    cwd: 'e2e/bench/load',
    stdio: 'inherit',
  });
  if (build.status !== 0) throw new Error('the load generator did not build');
}

function writeConfig(appendMs: number): string {
  const file = `${cache}/connector.yaml`;
  const config = {
    sip: { listen: [`udp://${sip}`] },
    rtp: { address: '127.0.0.1', ports: '30000-31999' },
    http: { listen: '127.0.0.1:8767' },
    log: { level: 'info' },
    agent: {
      providers: [{ openai: { url: `ws://${model}/v1`, appendMs } }],
      maxCalls: 500,
    },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** The same steps for the connector and for the bare bridge, each with a fresh process. */
async function withSubject<T>(
  command: string,
  isReady: (line: string) => boolean,
  steps: (load: Load) => T,
): Promise<T> {
  const subject = await startPinned(0, command, isReady);
  try {
    return steps({ binary, sip, model, pid: subject.pid });
  } finally {
    await subject.stop();
  }
}

function connector<T>(steps: (load: Load) => T, appendMs = 20): Promise<T> {
  // As `npm run connector` and the image start it: a young generation that a busy second fits in.
  const heap = '--min-semi-space-size=32 --max-semi-space-size=32';
  const command = `${process.execPath} ${heap} connector/src/main.ts run ${writeConfig(appendMs)}`;
  return withSubject(command, (line) => line.includes('"msg":"ready"'), steps);
}

function bareBridge<T>(steps: (load: Load) => T): Promise<T> {
  const command = `${process.execPath} e2e/bench/bridge.ts --sip ${sip} --model ${model}`;
  return withSubject(command, (line) => line === 'ready', steps);
}

function echo(load: Load, calls: number): LoadReport {
  say(`echo, ${calls} call${calls === 1 ? '' : 's'}`);
  return measure(load, 'echo', calls);
}

async function measureCpu(): Promise<void> {
  const limits = { 1: 10, 50: 3, 300: 2.2 };
  for (const [calls, limit] of Object.entries(limits)) {
    const ours = await connector((load) => echo(load, Number(calls)));
    const bare = await bareBridge((load) => echo(load, Number(calls)));
    row(`CPU per call-second, ${calls} calls`, {
      value: ours.cpuMsPerCallSecond,
      unit: 'ms',
      limit: limit,
    });
    const ratio = ours.cpuMsPerCallSecond / bare.cpuMsPerCallSecond;
    rows.push({
      figure: `  the bare bridge, ${calls} calls`,
      value: `${bare.cpuMsPerCallSecond.toFixed(2)} ms`,
      target: `ours is ${ratio.toFixed(2)} ×`,
      met: true,
    });
    if (calls === '50') {
      row('echo round trip p50, 50 calls', { value: ours.roundTripMs.p50, unit: 'ms', limit: 25 });
      row('echo round trip p99, 50 calls', { value: ours.roundTripMs.p99, unit: 'ms', limit: 35 });
    }
    if (calls === '300') {
      row('memory per call, 300 calls', {
        value: (ours.rssKiB - ours.rssBeforeKiB) / 300,
        unit: 'KiB',
        limit: 150,
      });
      row('call set-up p99 (model opens at once)', {
        value: ours.setupMs.p99,
        unit: 'ms',
        limit: 100,
      });
    }
  }
}

/** The model answers each append with one delta, so its deltas are of 60 ms as well. */
async function measureAppends(): Promise<void> {
  const ours = await connector((load) => echo(load, 300), 60);
  row('CPU per call-second, 300 calls, appends and deltas of 60 ms', {
    value: ours.cpuMsPerCallSecond,
    unit: 'ms',
    limit: 1.2,
  });
}

async function measureMany(): Promise<void> {
  const many = await connector((load) => echo(load, 400));
  row('frames lost, 400 calls', { value: many.framesLost, unit: 'frames', limit: 0 });
  row('ingress p99, 400 calls', { value: many.ingressMs.p99, unit: 'ms', limit: 25 });
}

async function measureStall(): Promise<void> {
  say('50 calls, the process stopped for 100 ms');
  const stalled = await connector((load) => measure(load, 'stall', 50));
  const after = stalled.afterStallMs;
  if (!after) throw new Error('no figures after the stall');
  row('echo round trip p50 after a 100 ms stall', { value: after.p50, unit: 'ms', limit: 25 });
  row('echo round trip p99 after a 100 ms stall', { value: after.p99, unit: 'ms', limit: 35 });
}

async function measureBargeIn(): Promise<void> {
  say('barge-in, 40 calls');
  const barged = await connector((load) => measure(load, 'bargein', 40));
  if (!barged.bargeInMs) throw new Error('no barge-in figures');
  row('barge-in p99: speech_started to last old packet', {
    value: barged.bargeInMs.p99,
    unit: 'ms',
    limit: 20,
  });
  row('  interruptions that never came', {
    value: barged.bargeInsMissing ?? 0,
    unit: 'of 40',
    limit: 0,
  });
}

async function measureSip(): Promise<void> {
  say('sip-server, calls per second');
  const best = await measureSipServer([200, 300, 400, 500, 600, 800, 1000]);
  const saturated = best !== undefined && best.coreUsed >= 0.9;
  rows.push({
    figure: 'sip-server, new calls a second',
    value: best
      ? `${saturated ? '' : '≥ '}${best.rate} (${Math.round(best.coreUsed * 100)} % of its core)`
      : 'none kept',
    target: '≥ 500',
    met: (best?.rate ?? 0) >= 500,
  });
}

async function measureStanding(): Promise<void> {
  say('sip-server, 10,000 dialogs');
  const { dialogs, rssMiB, rssBeforeMiB } = await measureDialogs(10_000);
  row(`sip-server, memory with ${dialogs} dialogs up (${rssBeforeMiB.toFixed(0)} MB with none)`, {
    value: rssMiB,
    unit: 'MB',
    limit: 500,
  });
}

function printTable(): void {
  console.log(
    `\n${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}\n`,
  );
  console.log('| figure | measured | target | |');
  console.log('|---|---|---|---|');
  for (const { figure, value, target, met } of rows)
    console.log(`| ${figure} | ${value} | ${target} | ${met ? 'met' : '**missed**'} |`);
}

const suites = {
  cpu: measureCpu,
  appends: measureAppends,
  many: measureMany,
  stall: measureStall,
  bargein: measureBargeIn,
  sip: measureSip,
  dialogs: measureStanding,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')} (there are ${Object.keys(suites).join(', ')})`);
  process.exit(2);
}
mkdirSync(cache, { recursive: true });
buildLoad();
for (const [name, suite] of Object.entries(suites))
  if (wanted.length === 0 || wanted.includes(name)) await suite();
printTable();
