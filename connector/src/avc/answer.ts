import { type AvcAgent, type AvcKeys, readOpenAiKeys } from './openai-keys.ts';

/** A flavour with settings, as the connector's webhook and `extra_params` give it. */
export interface AvcAnswer {
  readonly flavor: string;
  readonly agent: AvcAgent;
}

/** `{"flavor": "openai", "openai": {"voice": …}}`; undefined for what has no flavour. */
export function readAvcAnswer(value: unknown): AvcAnswer | undefined {
  if (!isObject(value)) return undefined;
  const flavor = value['flavor'];
  if (typeof flavor !== 'string') return undefined;
  const keys = value[flavor];
  return { flavor, agent: readOpenAiKeys(isObject(keys) ? textsOf(keys) : {}) };
}

function textsOf(keys: Readonly<Record<string, unknown>>): AvcKeys {
  const texts = Object.entries(keys).flatMap(([name, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value)
      ? [[name.toLowerCase(), String(value)] as const]
      : [],
  );
  return Object.fromEntries(texts);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
