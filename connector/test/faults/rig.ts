import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { OpenAiSimulator, type SimulatorOptions, tone } from '../support/openai-simulator.ts';
import { Caller, type CallerOptions } from './caller.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');

export interface RigOptions {
  readonly sip?: object;
  readonly agent?: object;
  readonly settings?: object;
  readonly simulator?: SimulatorOptions;
  /** What stands before the program's own command line: `unshare …`. */
  readonly wrap?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** False: resolve as soon as the process is there. */
  readonly awaitsReady?: boolean;
}

type LogLine = Readonly<Record<string, unknown>>;

/** The connector as a process that harm can be done to, a simulated OpenAI, and callers. */
export class Rig {
  readonly simulator: OpenAiSimulator;
  readonly folder: string;
  readonly log: LogLine[] = [];
  /** What was written that is no log. */
  readonly said: string[] = [];
  readonly child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  readonly #callers: Caller[] = [];

  private constructor(simulator: OpenAiSimulator, folder: string, options: RigOptions) {
    this.simulator = simulator;
    this.folder = folder;
    const file = join(folder, 'connector.json');
    writeFileSync(file, settingsOf(options, simulator.url));
    const command = [...(options.wrap ?? []), process.execPath, main, 'run', file];
    this.child = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, OPENAI_API_KEY: 'key', API_TOKEN: 'token', ...options.env },
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const simulator = await OpenAiSimulator.start({
      // Sound that outlasts every test: what is missing of it is the connector's fault.
      reply: (_, law) => ({ text: 'Endless.', audio: tone(60_000, law) }),
      ...options.simulator,
    });
    const rig = new Rig(simulator, mkdtempSync(join(tmpdir(), 'parley-fault-')), options);
    if (options.awaitsReady !== false) await rig.untilReady();
    return rig;
  }

  async untilReady(): Promise<void> {
    await until(() => this.hasEnded || this.lines('ready').length > 0, 20_000);
    if (this.hasEnded) throw new Error([...this.said, JSON.stringify(this.log)].join('\n'));
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Of the connector itself, whatever it is wrapped in. */
  get pid(): number {
    const { pid = 0 } = this.child;
    return pidOfProgram(pid) ?? pid;
  }

  get target(): string {
    const addresses = this.lines('ready')[0]?.['sip'] as readonly string[] | undefined;
    return addresses?.find((each) => each.startsWith('udp/'))?.slice(4) ?? '';
  }

  get tcpPort(): number {
    const addresses = this.lines('ready')[0]?.['sip'] as readonly string[] | undefined;
    return Number(addresses?.find((each) => each.startsWith('tcp/'))?.split(':')[1]);
  }

  /** Log lines with this text. */
  lines(message: string): LogLine[] {
    return this.log.filter((line) => line['message'] === message || line['msg'] === message);
  }

  async call(options: Partial<CallerOptions> = {}): Promise<Caller> {
    const caller = await Caller.call({ target: this.target, ...options });
    this.#callers.push(caller);
    return caller;
  }

  /** A call that is up and hears the agent. */
  async talk(options: Partial<CallerOptions> = {}): Promise<Caller> {
    const caller = await this.call(options);
    if (caller.status !== 200) throw new Error(`the call was not answered: ${caller.answer}`);
    await until(() => caller.heard.length > 10, 5000);
    return caller;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const http = String(this.lines('ready')[0]?.['http']);
    const headers = {
      authorization: 'Bearer token',
      connection: 'close',
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return fetch(`${http}${path}`, { ...init, headers });
  }

  async metric(name: string): Promise<number> {
    const text = await (await this.ask('/metrics')).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  }

  /** Descriptors that are open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Time on the processor so far, ms. */
  busy(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // proc(5): utime and stime, in ticks of 10 ms; numbered from the state on.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async close(): Promise<void> {
    for (const caller of this.#callers) caller.close();
    if (!this.hasEnded) process.kill(this.pid, 'SIGKILL');
    this.child.kill('SIGKILL');
    await this.ended;
    await this.simulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #onLine(line: string): void {
    if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
    else this.said.push(line);
  }
}

function settingsOf({ sip, agent, settings }: RigOptions, url: string): string {
  return JSON.stringify({
    sip: { listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'], ...sip },
    rtp: { address: '127.0.0.1', ports: '32016-32415' },
    http: { listen: '127.0.0.1:0', tokenEnv: 'API_TOKEN' },
    agent: { greeting: 'Good morning.', providers: [{ openai: { url } }], ...agent },
    ...settings,
  });
}

/** The first descendant that runs the program. */
function pidOfProgram(pid: number): number | undefined {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(process.execPath)) return pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    for (const child of children.filter(Boolean)) {
      const found = pidOfProgram(Number(child));
      if (found !== undefined) return found;
    }
  } catch {
    // It has ended meanwhile.
  }
  return undefined;
}

export const pause = (time: number): Promise<void> => new Promise((done) => setTimeout(done, time));

async function until(isTrue: () => boolean, limit: number): Promise<void> {
  for (const end = performance.now() + limit; !isTrue(); await pause(20))
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${String(isTrue)}`);
}

/** Runs a program of the system and returns what it writes. */
export function system(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args).toString();
}
