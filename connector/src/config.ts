import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { avcVariables } from './avc/environment.ts';
import { importAvc } from './avc/import.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import { agentsOf, type ConfiguredAgent } from './config/agents.ts';
import { checkConfig, warningsOf } from './config/check.ts';
import { nodeLine, overlay, settingVariables, valueOf } from './config/document.ts';
import { type ConfigProblem, problemsOf, withoutUnknown } from './config/problem.ts';
import { type ConfigFile, configSchema } from './config/schema.ts';
import { codeOf, resolveSecrets, type SecretSources, type Secrets } from './config/secret.ts';
import type { Agent } from './contract/agent.ts';
import type { ListenPoint } from './sip/transport/transport.ts';

/** Everything the connector is told, from one YAML or JSON file and the environment. */
export interface Config {
  readonly revision: string;
  readonly sip: Omit<ConfigFile['sip'], 'listen'> & {
    /** `sip.listen`, with `externalHost` filled in. */
    readonly listen: readonly ListenPoint[];
  };
  readonly rtp: {
    readonly address: string;
    readonly advertisedAddress: string;
    /** Both ends included; `first` is even, `last` odd. */
    readonly ports: { readonly first: number; readonly last: number };
    readonly checkPorts: boolean;
  };
  readonly http: ConfigFile['http'];
  readonly log: ConfigFile['log'];
  readonly drain: ConfigFile['drain'];
  /** In the order of the file. */
  readonly agents: readonly ConfiguredAgent[];
  readonly override: ConfigFile['override'];
  /** What is not as it looks; one line each. */
  readonly warnings: readonly string[];
  readonly secrets: Secrets;
}

/** The world that a configuration is read from; addresses are those of the machine's interfaces. */
export interface ConfigSources extends SecretSources {
  /** First the one that RTP uses when nothing else is said. */
  readonly addresses: readonly string[];
}

/** What a file gives at one time. */
export interface Reading {
  /** Undefined where there are problems. */
  readonly config: Config | undefined;
  /** One line for each, never with the value of a secret. */
  readonly problems: readonly string[];
  /** The file itself first, then those it names. */
  readonly files: readonly string[];
  /** Changes with the content of any of the files. */
  readonly fingerprint: string;
}

/**
 * Reads and checks `file` and the files of secrets that it names; without one, what the environment says
 * in the names of the OpenSIPS AI Voice Connector. Never throws.
 */
export function readConfig(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Reading {
  const found = new Map<string, string>();
  const read = (name: string) => readNoted(name, found);
  const result = parseFile(file, { env, readFile: read, addresses: ownAddresses() });
  const config = 'config' in result ? result.config : undefined;
  const problems = 'config' in result ? [] : result.problems;
  return {
    config,
    problems: problems.map((problem) => `${file ?? 'environment'}${describeProblem(problem)}`),
    files: [...found.keys()],
    fingerprint: createHash('sha256')
      .update(JSON.stringify([...found]))
      .digest('hex'),
  };
}

/** Throws a ConnectorError CONFIG_INVALID whose message has a line for every problem of `file`. */
export function loadConfig(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const { config, problems } = readConfig(file, env);
  if (config) return config;
  throw new ConnectorError('CONFIG_INVALID', problems.join('\n'));
}

/** The file that the environment names, for a command line that names none. */
export function configFileOf(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return env['CONFIG_FILE'] || undefined;
}

/** Whether the environment alone describes an agent. */
export function isEnvironmentEnough(
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return Boolean(env['OPENAI_API_KEY']?.trim());
}

/** Every environment variable that has a meaning by itself; a file can name others for its secrets. */
export const variables: readonly string[] = [
  'CONFIG_FILE',
  ...settingVariables,
  ...avcVariables.map(({ name }) => name),
];

/** A file of the OpenSIPS AI Voice Connector as one of ours. Throws an Error that says why it cannot be. */
export function importConfig(
  file: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReturnType<typeof importAvc> & { readonly problems: readonly string[] } {
  const imported = importAvc(readFileSync(file, 'utf8'), env);
  const result = parseImported(imported, {
    env,
    readFile: (name) => readFileSync(name, 'utf8'),
    addresses: ownAddresses(),
  });
  const problems = 'problems' in result ? result.problems : [];
  return { ...imported, problems: problems.map(({ path, reason }) => `${path}: ${reason}`) };
}

/** A problem with the line it is on, where the file has one. */
export type LocatedProblem = { readonly path: string; readonly reason: string; line?: number };

const syntaxProblems = 5;

/** The configuration that `text` and the environment describe, or all that is wrong with it. */
export function parseConfig(
  text: string,
  sources: ConfigSources,
): { readonly config: Config } | { readonly problems: readonly LocatedProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    return {
      // One slip makes many of them.
      problems: document.errors.slice(0, syntaxProblems).map((error) => ({
        path: '',
        reason: `not YAML or JSON: ${error.message}`,
        line: lines.linePos(error.pos[0]).line,
      })),
    };
  const file = valueOf(document);
  if ('reason' in file) return { problems: [{ path: '', reason: file.reason }] };
  const { value, origins } = overlay(file.value, sources.env);
  const { config, problems } = validate(value, sources);
  if (config !== undefined && problems.length === 0) return { config };
  return {
    problems: problems.map(({ path, reason }) => {
      const origin = origins.get(path.slice(0, 2).join('.'));
      if (origin !== undefined) return { path: origin, reason };
      const line = nodeLine(document, path, lines);
      return { path: path.join('.'), reason, ...(line === undefined ? {} : { line }) };
    }),
  };
}

function validate(
  value: unknown,
  sources: ConfigSources,
): { config?: Config; problems: ConfigProblem[] } {
  const strict = configSchema.safeParse(value);
  const unknown = strict.success ? [] : problemsOf(configSchema, value, strict.error.issues);
  // A misspelt key must not hide what else is wrong.
  const parsed = strict.success ? strict : configSchema.safeParse(withoutUnknown(value, unknown));
  if (!parsed.success) return { problems: unknown };
  const { secrets, problems } = resolveSecrets(parsed.data, sources);
  return {
    config: toConfig(parsed.data, secrets, sources.addresses),
    problems: [...unknown, ...checkConfig(parsed.data), ...problems],
  };
}

function toConfig(file: ConfigFile, secrets: Secrets, addresses: readonly string[]): Config {
  const { externalHost, listen } = file.sip;
  const bound = listen.map(({ address }) => address).find((address) => !isWildcard(address));
  const address = file.rtp.address ?? bound ?? addresses[0] ?? '127.0.0.1';
  const outside = externalHost !== undefined && isIP(externalHost) !== 0 ? externalHost : undefined;
  const shown = isWildcard(address) ? (addresses[0] ?? '127.0.0.1') : address;
  const { agent: _agent, agents: _agents, ...rest } = file;
  return {
    ...rest,
    agents: agentsOf(file),
    override: file.override,
    warnings: warningsOf(file),
    sip: {
      ...file.sip,
      listen: listen.map((point) =>
        externalHost === undefined ? point : { ...point, externalHost },
      ),
    },
    rtp: {
      address,
      advertisedAddress: file.rtp.advertisedAddress ?? outside ?? shown,
      ports: file.rtp.ports,
      checkPorts: file.rtp.checkPorts,
    },
    secrets,
  };
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

/** Addresses peers can reach: IPv4 first, as SIP trunks expect; never loopback or link-local. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const usable = all.filter(
    ({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address),
  );
  return usable.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}

function parseFile(
  file: string | undefined,
  sources: ConfigSources,
): ReturnType<typeof parseConfig> {
  if (file === undefined) return parseAvc('', sources);
  let text: string;
  try {
    text = sources.readFile(file);
  } catch (error) {
    return { problems: [{ path: '', reason: `cannot be read: ${codeOf(error)}` }] };
  }
  return /\.(ini|cfg)$/i.test(file) ? parseAvc(text, sources) : parseConfig(text, sources);
}

/** A file of the OpenSIPS AI Voice Connector, in use as it is. */
function parseAvc(text: string, sources: ConfigSources): ReturnType<typeof parseConfig> {
  try {
    return parseImported(importAvc(text, sources.env), sources);
  } catch (error) {
    return { problems: [{ path: '', reason: messageOf(error) }] };
  }
}

function parseImported(
  { yaml, left, secrets }: ReturnType<typeof importAvc>,
  sources: ConfigSources,
): ReturnType<typeof parseConfig> {
  const result = parseConfig(yaml, { ...sources, env: { ...sources.env, ...secrets } });
  if ('config' in result)
    return { config: { ...result.config, warnings: [...left, ...result.config.warnings] } };
  // The lines are those of a text that nobody sees.
  return { problems: result.problems.map(({ path, reason }) => ({ path, reason })) };
}

/** Reads and notes what was found, be it that there is nothing. */
function readNoted(name: string, found: Map<string, string>): string {
  try {
    const text = readFileSync(name, 'utf8');
    found.set(name, text);
    return text;
  } catch (error) {
    found.set(name, messageOf(error));
    throw error;
  }
}

function describeProblem({ path, reason, line }: LocatedProblem): string {
  const place = line === undefined ? '' : `:${line}`;
  return path === '' ? `${place}: ${reason}` : `${place}: ${path}: ${reason}`;
}

/** The effective configuration as YAML, without secrets, numbers and header values. */
export function describeConfig(config: Config): string {
  const { secrets: _, warnings: _warnings, agents, ...shown } = config;
  const described = agents.map(({ agent, match, isDisabled }) => ({
    ...agent,
    tools: agent.tools.map((tool) => hidden(tool)),
    ...(match.length > 0 ? { match } : {}),
    ...(isDisabled ? { disabled: true } : {}),
  }));
  const isSingle = agents[0]?.path === 'agent';
  const part = isSingle ? { agent: described[0] } : { agents: described };
  return stringify({ ...shown, ...part }, { aliasDuplicateObjects: false });
}

function hidden(tool: Agent['tools'][number]): unknown {
  const mask = '(hidden)';
  if ('http' in tool) {
    const headers = Object.fromEntries(Object.keys(tool.http.headers).map((name) => [name, mask]));
    return { ...tool, http: { ...tool.http, headers } };
  }
  if (!('transfer' in tool)) return tool;
  const destinations = tool.transfer.destinations.map((one) => ({ ...one, to: mask }));
  return { ...tool, transfer: { ...tool.transfer, destinations } };
}
