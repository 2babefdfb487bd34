import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';
import { messageOf } from '../base/errors.ts';
import type { Path } from './problem.ts';

/** Environment variables that stand for a setting of the file, for what differs between machines. */
const overrides: readonly {
  readonly name: string;
  readonly path: readonly [string, string];
  readonly toValue?: (text: string) => unknown;
}[] = [
  { name: 'PARLEY_SIP_LISTEN', path: ['sip', 'listen'], toValue: listOf },
  { name: 'PARLEY_EXTERNAL_ADDRESS', path: ['sip', 'externalHost'] },
  { name: 'PARLEY_HTTP_LISTEN', path: ['http', 'listen'] },
  { name: 'PARLEY_RTP_ADDRESS', path: ['rtp', 'address'] },
  { name: 'PARLEY_RTP_PORTS', path: ['rtp', 'ports'] },
  { name: 'PARLEY_RTP_CHECK_PORTS', path: ['rtp', 'checkPorts'], toValue: truthOf },
  { name: 'PARLEY_LOG_LEVEL', path: ['log', 'level'] },
];

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function truthOf(text: string): unknown {
  return { true: true, false: false }[text] ?? text;
}

/** Names of all of them, for who documents them. */
export const settingVariables: readonly string[] = [
  ...overrides.map(({ name }) => name),
  'PARLEY_HTTP_TOKEN',
];

type Env = Readonly<Record<string, string | undefined>>;
type Settings = Readonly<Record<string, unknown>>;

/** The document as plain data; aliases that lead nowhere or multiply without end are refused. */
export function valueOf(document: Document): { value: unknown } | { reason: string } {
  try {
    const value: unknown = document.toJS();
    return { value: value ?? {} };
  } catch (error) {
    return { reason: `not YAML or JSON: ${messageOf(error)}` };
  }
}

/**
 * The file's value with the environment laid over it, and for each setting that came from there
 * (`sip.listen`) the variable's name.
 */
export function overlay(
  file: unknown,
  env: Env,
): { value: unknown; origins: ReadonlyMap<string, string> } {
  const origins = new Map<string, string>();
  let value = file;
  for (const { name, path, toValue } of overrides) {
    const text = env[name]?.trim();
    if (!text || !isSettings(value)) continue;
    value = withSetting(value, path, toValue?.(text) ?? text);
    origins.set(path.join('.'), name);
  }
  if (env[tokenVariable]?.trim() && isSettings(value)) value = withToken(value);
  return { value, origins };
}

const tokenVariable = 'PARLEY_HTTP_TOKEN';

/** The token itself is read with the other secrets; here only its place changes. */
function withToken(value: Settings): Settings {
  const http = isSettings(value['http']) ? value['http'] : {};
  const { tokenFile: _, ...rest } = http;
  return { ...value, http: { ...rest, tokenEnv: tokenVariable } };
}

function withSetting(
  value: Settings,
  [section, key]: readonly [string, string],
  to: unknown,
): Settings {
  const inner = value[section] ?? {};
  return isSettings(inner) ? { ...value, [section]: { ...inner, [key]: to } } : value;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The line of the key at `path`, or of the closest thing around it that the document has. */
export function nodeLine(document: Document, path: Path, lines: LineCounter): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const offset = keyOffset(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return undefined;
}

function keyOffset(document: Document, path: Path): number | undefined {
  const parent: unknown =
    path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    return pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
