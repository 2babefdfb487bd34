import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type App, type AppOptions, startApp } from './app.ts';
import { checkParts } from './app-check.ts';
import { isAddressTaken } from './app-ports.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import { chooseAgent } from './config/agents.ts';
import {
  type Config,
  configFileOf,
  describeConfig,
  importConfig,
  isEnvironmentEnough,
  loadConfig,
  readConfig,
} from './config.ts';
import { portTakenExitCode } from './contract/pod.ts';
import type { Orders } from './signals.ts';

const usage = `Usage: connector <command> [FILE] [options]

  run FILE                 answers calls as FILE says, until SIGTERM or Ctrl-C; a second one hurries
  check FILE               says what is wrong with FILE, or what it means
  check FILE --dial USER   says which agent answers when USER is dialled
  import AVC.ini -o FILE   makes of a file of the OpenSIPS AI Voice Connector one for this; without -o
                           it goes to the output. Exit code 3: something could not be taken over

FILE is YAML or JSON, or the INI of that connector; CONFIG_FILE in the environment may name it
instead. Without any file, OPENAI_API_KEY and that connector's other variables are enough.
`;

const noFile = 'No configuration file is named.\n\n';

/** An import took over some of a file, not all. */
const partlyExitCode = 3;

/**
 * The exit code: 0, 1 for a failure, 2 for a command line that makes no sense, 98 for an address and
 * port that another program has.
 */
export async function main(commandLine: readonly string[], orders: Orders): Promise<number> {
  const line = parse(commandLine);
  if (line === undefined) return refuse('');
  if (line.isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    return await obey(line, orders);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return isAddressTaken(error) ? portTakenExitCode : 1;
  }
}

interface CommandLine {
  readonly command: string | undefined;
  readonly file: string | undefined;
  readonly dial: string | undefined;
  readonly out: string | undefined;
}

async function obey(
  { command, file = configFileOf(), dial, out }: CommandLine,
  orders: Orders,
): Promise<number> {
  const isMissing = file === undefined && !isEnvironmentEnough();
  if (command === 'import') return file === undefined ? refuse(noFile) : importFile(file, out);
  if (command !== 'run' && command !== 'check') return refuse('');
  if (isMissing) return refuse(noFile);
  return command === 'run' ? run(file, orders) : check(file, dial);
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
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        dial: { type: 'string' },
        out: { type: 'string', short: 'o' },
      },
    });
    const [command, file, ...rest] = positionals;
    const isMisplaced =
      (values.dial !== undefined && command !== 'check') ||
      (values.out !== undefined && command !== 'import');
    if (rest.length > 0 || isMisplaced) return undefined;
    return { isHelp: values.help, command, file, dial: values.dial, out: values.out };
  } catch {
    return undefined;
  }
}

function check(file: string | undefined, dial: string | undefined): number {
  const config = loadConfig(file);
  checkParts(config);
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(
    dial === undefined ? `ok\n${describeConfig(config)}` : dialled(config, dial),
  );
  return 0;
}

function dialled({ agents }: Config, user: string): string {
  const choice = chooseAgent(agents, user);
  return choice
    ? `${choice.chosen.agent.name} (by ${choice.by})\n`
    : 'nobody: all agents are disabled, the call gets 480\n';
}

function importFile(file: string, out: string | undefined): number {
  const { yaml, left, notes, problems } = importConfig(file);
  if (out === undefined) process.stdout.write(yaml);
  else writeFileSync(out, yaml, { flag: 'wx' });
  for (const line of left) process.stderr.write(`not taken over: ${line}\n`);
  for (const line of problems) process.stderr.write(`still wrong: ${line}\n`);
  for (const line of notes) process.stderr.write(`note: ${line}\n`);
  return left.length + problems.length === 0 ? 0 : partlyExitCode;
}

async function run(file: string | undefined, orders: Orders): Promise<number> {
  const first = readConfig(file);
  const { config } = first;
  if (!config) throw new ConnectorError('CONFIG_INVALID', first.problems.join('\n'));
  const log = createLog(config.log);
  const warn = ({ warnings }: Config) => {
    for (const warning of warnings) log.warn({ warning }, 'the configuration has a weak point');
  };
  warn(config);
  const onReload = (changed: Config) => {
    log.level = changed.log.level;
    warn(changed);
  };
  const source = { first, read: () => readConfig(file) };
  const app = await start({ config, log, source, onReload }, orders);
  if (!app) return 0;
  announce(app, { config, log });
  const exitCode = await untilStopped(app, { log, orders });
  await app.close();
  log.info({ exitCode }, 'stopped');
  return exitCode;
}

/**
 * Starts; undefined when a signal came meanwhile, and all is closed again. To end the process while
 * native code runs in its workers would abort it. Who cannot wait sends the signal twice.
 */
async function start(options: AppOptions, orders: Orders): Promise<App | undefined> {
  let isAbandoned = false;
  orders.listen(() => {
    if (isAbandoned) die();
    isAbandoned = true;
  });
  if (isAbandoned) return undefined;
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

function die(): never {
  // The first process of a container cannot kill itself.
  process.kill(process.pid, 'SIGKILL');
  process.exit(137);
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
  orders.listen((signal) => drain(signal, 0));
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
