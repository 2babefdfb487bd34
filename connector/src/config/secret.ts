import { messageOf } from '../base/errors.ts';
import type { Agent } from '../contract/agent.ts';
import { agentsOf } from './agents.ts';
import { pathOf } from './check.ts';
import type { ConfigProblem, Path } from './problem.ts';
import type { ConfigFile } from './schema.ts';

/** The texts that must not be printed, by the path of what they belong to. Prints as nothing. */
export class Secrets {
  readonly #texts: ReadonlyMap<string, string>;

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  /**
   * `agent.providers.0.openai.apiKey`, `sip.auth.users.0.password`, `http.token`,
   * `agent.tools.0.http.headers` (JSON object of strings), with `agents.1` in place of `agent` where
   * there are several; undefined where none is configured.
   */
  get(path: string): string | undefined {
    return this.#texts.get(path);
  }

  /** These and one more, or another text at its place. */
  with(path: string, text: string): Secrets {
    return new Secrets(new Map([...this.#texts, [path, text]]));
  }

  /** A text of others, with none of these in it. */
  redact(text: string): string {
    return [...this.#texts.values()].reduce((left, secret) => left.replaceAll(secret, '***'), text);
  }
}

/** Where secrets come from; `readFile` throws as `fs.readFileSync` does. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(file: string): string;
}

/** One secret: its name, the path of the setting that points to it, and where it is kept. */
interface Reference {
  readonly name: string;
  readonly path: Path;
  readonly file?: string | undefined;
  readonly env?: string | undefined;
  readonly isOptional?: boolean;
  /** What is wrong with a text that was found. */
  readonly check?: (text: string) => string | undefined;
}

/** Every secret the configuration refers to, and what could not be had. */
export function resolveSecrets(
  config: ConfigFile,
  sources: SecretSources,
): { secrets: Secrets; problems: ConfigProblem[] } {
  const texts = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const reference of referencesOf(config)) {
    const found = resolve(reference, sources);
    if ('reason' in found) problems.push({ path: reference.path, reason: found.reason });
    else if (found.text !== undefined) texts.set(reference.name, found.text);
  }
  return { secrets: new Secrets(texts), problems };
}

type Found = { readonly text: string | undefined } | { readonly reason: string };

function resolve(reference: Reference, sources: SecretSources): Found {
  const { file, env } = reference;
  if (file !== undefined) return checked(reference, readText(sources, file));
  if (env === undefined) return { text: undefined };
  const text = sources.env[env]?.trim();
  if (text) return checked(reference, { text });
  return reference.isOptional
    ? { text: undefined }
    : { reason: `the environment variable ${env} is not set` };
}

function readText(sources: SecretSources, file: string): Found {
  try {
    const text = sources.readFile(file).trim();
    return text === '' ? { reason: 'the file is empty' } : { text };
  } catch (error) {
    return { reason: `cannot be read: ${codeOf(error)}` };
  }
}

function checked({ check }: Reference, found: Found): Found {
  const reason = 'text' in found && found.text !== undefined ? check?.(found.text) : undefined;
  return reason === undefined ? found : { reason };
}

/** The system's error code; its message would repeat the path of the file. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : messageOf(error);
}

function referencesOf(config: ConfigFile): Reference[] {
  return [
    ...agentsOf(config)
      .filter(({ isDisabled }) => !isDisabled)
      .flatMap(({ path, agent }) => [
        ...providerKeys(agent, pathOf(path)),
        ...toolHeaders(agent, pathOf(path)),
      ]),
    ...webhookSecrets(config.override),
    ...userPasswords(config.sip),
    ...ownPasswords(config.sip),
    {
      name: 'http.token',
      path: ['http', config.http.tokenFile === undefined ? 'tokenEnv' : 'tokenFile'],
      file: config.http.tokenFile,
      env: config.http.tokenEnv,
      check: headerText,
    },
  ];
}

function webhookSecrets(override: ConfigFile['override']): Reference[] {
  const { tokenEnv, headersFile } = override?.webhook ?? {};
  const path = ['override', 'webhook'];
  return [
    {
      name: 'override.webhook.token',
      path: [...path, 'tokenEnv'],
      env: tokenEnv,
      check: headerText,
    },
    {
      name: 'override.webhook.headers',
      path: [...path, 'headersFile'],
      file: headersFile,
      check: headersText,
    },
  ];
}

function providerKeys({ providers }: Agent, base: Path): Reference[] {
  return providers.flatMap((provider, index) => {
    if (!('openai' in provider)) return [];
    const { apiKeyFile, apiKeyEnv, url } = provider.openai;
    const path = [...base, 'providers', index, 'openai'];
    return [
      {
        name: [...path, 'apiKey'].join('.'),
        path: [...path, apiKeyFile === undefined ? 'apiKeyEnv' : 'apiKeyFile'],
        file: apiKeyFile,
        env: apiKeyEnv,
        // A server on plain ws:// is a local one, which asks for no key.
        isOptional: url.startsWith('ws://'),
        check: headerText,
      },
    ];
  });
}

function toolHeaders({ tools }: Agent, base: Path): Reference[] {
  return tools.flatMap((tool, index) =>
    'http' in tool
      ? [
          {
            name: [...base, 'tools', index, 'http', 'headers'].join('.'),
            path: [...base, 'tools', index, 'http', 'headersFile'],
            file: tool.http.headersFile,
            check: headersText,
          },
        ]
      : [],
  );
}

function userPasswords({ auth }: ConfigFile['sip']): Reference[] {
  return (auth?.users ?? []).map(({ passwordFile, passwordEnv }, index) => ({
    name: `sip.auth.users.${index}.password`,
    path: [
      'sip',
      'auth',
      'users',
      index,
      passwordFile === undefined ? 'passwordEnv' : 'passwordFile',
    ],
    file: passwordFile,
    env: passwordEnv,
  }));
}

function ownPasswords({ credentials }: ConfigFile['sip']): Reference[] {
  return credentials.map(({ passwordFile, passwordEnv }, index) => ({
    name: `sip.credentials.${index}.password`,
    path: [
      'sip',
      'credentials',
      index,
      passwordFile === undefined ? 'passwordEnv' : 'passwordFile',
    ],
    file: passwordFile,
    env: passwordEnv,
  }));
}

/** A key that cannot stand in an HTTP header would fail on every call. */
function headerText(text: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(text) ? undefined : 'must be one line of printable ASCII';
}

function headersText(text: string): string | undefined {
  const reason = 'must hold a JSON object of strings';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return reason;
    return Object.values(value).every((one) => typeof one === 'string') ? undefined : reason;
  } catch {
    return reason;
  }
}
