import { expect } from 'vitest';
import { type App, startApp } from '../../src/app.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import { OpenAiSimulator, type SimulatorOptions } from '../support/openai-simulator.ts';

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The whole application in this process, with a simulated OpenAI behind it. */
export interface Site {
  readonly app: App;
  readonly simulator: OpenAiSimulator;
  readonly log: readonly LogLine[];
  readonly udp: string;
  readonly tcp: string;
  /** The last call's end as the log tells it. */
  readonly ending: () => { result: unknown; reason: unknown };
  /** Lets the clock run ahead, while no call is up: its timers do not notice. */
  readonly skip: (duration: number) => void;
  /** Rejects when the application left a timer. */
  close(): Promise<void>;
}

export interface SiteOptions {
  readonly agent?: object;
  /** Several in place of `agent`, each with the simulator as its provider. */
  readonly agents?: readonly object[];
  readonly override?: object;
  readonly sip?: object;
  readonly http?: object;
  readonly rtp?: object;
  readonly simulator?: SimulatorOptions;
}

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const simulator = await OpenAiSimulator.start(options.simulator);
  const log: LogLine[] = [];
  const clock = new WatchedClock();
  const config = configOf(options, simulator.url);
  const app = await startApp({ config, log: keeping(log), clock });
  await untilTried(app, simulator, options.simulator?.openDelay);
  const at = (protocol: string) =>
    app.sipAddresses.find((address) => address.startsWith(`${protocol}/`))?.split('/')[1] ?? '';
  return {
    app,
    simulator,
    log,
    udp: at('udp'),
    tcp: at('tcp'),
    ending: () => {
      const last = log.findLast(({ message }) => message === 'call ended');
      return { result: last?.['result'], reason: last?.['reason'] };
    },
    skip: (duration) => clock.skip(duration),
    async close() {
      await app.close();
      await simulator.close();
      // Everything is closed: a timer that still waits is one that was forgotten.
      expect([...clock.pending]).toEqual([]);
    },
  };
}

/** Waits for the session that the provider is tried with, which belongs to no call, and forgets it. */
async function untilTried(app: App, { sessions }: OpenAiSimulator, openDelay = 0): Promise<void> {
  const limits = { timeout: 5000, interval: 5 };
  if (openDelay > 2000) {
    await expect.poll(() => sessions.length, limits).toBe(1);
  } else {
    await expect.poll(() => app.status().provider.reason, limits).not.toBe('Starting');
    await expect.poll(() => sessions.every(({ isClosed }) => isClosed), limits).toBe(true);
  }
  sessions.length = 0;
}

function configOf(options: SiteOptions, url: string): Config {
  const { agent = {}, agents, override, sip = {}, http = {} } = options;
  const providers = [{ openai: { url } }];
  const text = JSON.stringify({
    sip: { listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'], ...sip },
    rtp: { ports: '31016-31415', ...options.rtp },
    http: { listen: '127.0.0.1:0', ...http },
    ...(agents
      ? { agents: agents.map((one) => ({ providers, ...one })) }
      : { agent: { greeting: 'Good morning.', providers, ...agent } }),
    override,
  });
  const result = parseConfig(text, {
    env: { API_TOKEN: 'secret', HOOK_TOKEN: 'hook' },
    readFile: () => '',
    addresses: ['127.0.0.1'],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** Waits for what follows a call of its own accord, at most 5 s, then says what is left of it. */
export async function expectIdle({ app }: Site): Promise<void> {
  await expect
    .poll(() => app.held(), { timeout: 5000, interval: 20 })
    .toEqual({ calls: 0, dialogs: 0, endpoints: 0 });
}

/** Waits until as many calls are up. */
export async function untilCalls({ app }: Site, count: number): Promise<void> {
  await expect.poll(() => app.activeCalls(), { timeout: 5000, interval: 10 }).toBe(count);
}

function keeping(lines: LogLine[], base: object = {}): Log {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ ...base, ...fields, level, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => keeping(lines, { ...base, ...fields }),
  };
}

/** Real time; who waits for it is known. */
class WatchedClock implements Clock {
  /** Where each timer that waits was made. */
  readonly pending = new Set<string>();
  #count = 0;
  #ahead = 0;

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  skip(duration: number): void {
    this.#ahead += duration;
  }

  wall(): number {
    return systemClock.wall();
  }

  after(delay: number, task: () => void) {
    const origin = `${++this.#count}: ${delay} ms, ${new Error('made').stack}`;
    this.pending.add(origin);
    const timer = systemClock.after(delay, () => {
      this.pending.delete(origin);
      task();
    });
    return {
      cancel: () => {
        this.pending.delete(origin);
        timer.cancel();
      },
    };
  }
}
