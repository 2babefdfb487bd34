#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { type App, type AppOptions, startApp } from './app.ts';
import { checkParts } from './app-check.ts';
import { isAddressTaken } from './app-ports.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import { type Config, configFileOf, describeConfig, loadConfig, readConfig } from './config.ts';
import { portTakenExitCode } from './contract/pod.ts';

const usage = `Usage: connector <command> [FILE]

  run FILE     answers calls as FILE says, until SIGTERM or Ctrl-C; a second one hurries
  check FILE   says what is wrong with FILE, or what it means

FILE is YAML or JSON; the environment variable CONFIG_FILE may name it instead.
`;

/** Also as the first process of a container, which no signal ends that it does not listen to. */
const signals = ['SIGTERM', 'SIGINT'] as const;

process.exit(await main(process.argv.slice(2)));

/**
 * The exit code: 0, 1 for a failure, 2 for a command line that makes no sense, 98 for an address and
 * port that another program has.
 */
async function main(commandLine: readonly string[]): Promise<number> {
  const line = parse(commandLine);
  if (line === undefined) return refuse('');
  if (line.isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  const file = line.file ?? configFileOf();
  if (line.command !== 'run' && line.command !== 'check') return refuse('');
  if (file === undefined) return refuse('No configuration file is named.\n\n');
  try {
    return line.command === 'check' ? check(file) : await run(file);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return isAddressTaken(error) ? portTakenExitCode : 1;
  }
}

function refuse(why: string): number {
  process.stderr.write(`${why}${usage}`);
  return 2;
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    const [command, file, ...rest] = positionals;
    return rest.length > 0 ? undefined : { isHelp: values.help, command, file };
  } catch {
    return undefined;
  }
}

function check(file: string): number {
  const config = loadConfig(file);
  checkParts(config);
  process.stdout.write(`ok\n${describeConfig(config)}`);
  return 0;
}

async function run(file: string): Promise<number> {
  const first = readConfig(file);
  const { config } = first;
  if (!config) throw new ConnectorError('CONFIG_INVALID', first.problems.join('\n'));
  const log = createLog(config.log);
  const onReload = (changed: Config) => {
    log.level = changed.log.level;
  };
  const source = { first, read: () => readConfig(file) };
  const orders = listenToSignals();
  const app = await start({ config, log, source, onReload }, orders);
  if (!app) return 0;
  announce(app, { config, log });
  const exitCode = await untilStopped(app, { log, orders });
  await app.close();
  log.info({ exitCode }, 'stopped');
  return exitCode;
}

/** Who is told of signals now. */
interface Orders {
  onSignal: (signal: string) => void;
}

/** Listens once and for all: a signal that comes while one listener replaces another would be lost. */
function listenToSignals(): Orders {
  const orders: Orders = { onSignal: () => undefined };
  for (const signal of signals) process.on(signal, () => orders.onSignal(signal));
  return orders;
}

/**
 * Starts; undefined when a signal came meanwhile, and all is closed again. To end the process while
 * native code runs in its workers would abort it. Who cannot wait sends the signal twice.
 */
async function start(options: AppOptions, orders: Orders): Promise<App | undefined> {
  let isAbandoned = false;
  orders.onSignal = () => {
    if (isAbandoned) process.kill(process.pid, 'SIGKILL');
    isAbandoned = true;
  };
  try {
    const app = await startApp(options);
    if (!isAbandoned) return app;
    await app.close();
    return undefined;
  } catch (error) {
    options.log.error({ error: messageOf(error) }, 'the connector cannot start');
    throw error;
  }
}

/** For people what to dial, for machines the same in the log. */
function announce({ sipAddresses, httpUrl }: App, { config, log }: { config: Config; log: Log }) {
  log.info({ sip: sipAddresses, http: httpUrl }, 'ready');
  if (!process.stderr.isTTY) return;
  const uris = sipAddresses.map((address) => dialableUri(address, config));
  process.stderr.write(`Ready. Call ${uris.join(' or ')} (health and metrics: ${httpUrl})\n`);
}

/** Nobody can dial the address of all interfaces: then the one that RTP tells peers. */
function dialableUri(address: string, { agents, rtp }: Config): string {
  const [protocol = '', host = ''] = address.split('/');
  const dialable = host.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, rtp.advertisedAddress);
  return `sip:${agents[0]?.agent.name ?? 'agent'}@${dialable}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
}

/** Resolves to the exit code when a signal, or a bug, has ended the work and no call is left. */
async function untilStopped(
  app: App,
  { log, orders }: { readonly log: Log; readonly orders: Orders },
): Promise<number> {
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let count = 0;
  const drain = (why: string, exitCode: number) => {
    count += 1;
    const limit = count === 1 ? app.drainTimeout() : 0;
    log.info({ why, calls: app.activeCalls(), timeout: limit }, 'draining');
    app.drain(limit).then(
      () => resolve(exitCode),
      () => resolve(1),
    );
  };
  orders.onSignal = (signal) => drain(signal, 0);
  process.on('unhandledRejection', (error) => {
    log.error({ error: messageOf(error), stack: stackOf(error) }, 'a failure was not handled');
  });
  // What threw may have left anything half done: the calls that still work may end in peace.
  process.on('uncaughtException', (error) => {
    log.error({ error: messageOf(error), stack: stackOf(error) }, 'a bug broke the process');
    drain('uncaught exception', 1);
  });
  return stopped;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
