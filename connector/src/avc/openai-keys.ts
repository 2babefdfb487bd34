/** The keys of the openai flavour of the OpenSIPS AI Voice Connector, in the words of Parley. */

/** Settings of a section or a JSON object: keys in lower case, values as text. */
export type AvcKeys = Readonly<Record<string, string>>;

/** What they say about an agent; the names are those of `agent` in a configuration. */
export interface AvcAgent {
  readonly greeting?: string;
  readonly instructions?: string;
  readonly key?: string;
  readonly openai: Readonly<Record<string, unknown>>;
  readonly transfer?: { readonly to: string; readonly referredBy?: string };
  /** One line for each key that has no place here, without its value. */
  readonly notes: readonly string[];
}

/** Both spellings, where there are two: the code of the connector reads one, its documents name another. */
const spellings = {
  key: ['key', 'openai_key'],
  voice: ['voice', 'openai_voice'],
  disabled: ['disabled', 'disable'],
} as const;

const known = new Set([
  ...Object.values(spellings).flat(),
  'match',
  'model',
  'url',
  'instructions',
  'welcome_message',
  'temperature',
  'max_tokens',
  'turn_detection_type',
  'turn_detection_silence_ms',
  'turn_detection_threshold',
  'turn_detection_prefix_ms',
  'transfer_to',
  'transfer_by',
  'tools',
]);

export function readOpenAiKeys(keys: AvcKeys): AvcAgent {
  const notes: string[] = [];
  const reader = new Reader(keys, notes);
  const greeting = reader.text('welcome_message');
  const instructions = reader.text('instructions');
  const key = spelled(keys, 'key');
  const to = reader.uri('transfer_to');
  const referredBy = reader.uri('transfer_by');
  for (const name of Object.keys(keys))
    if (!known.has(name)) notes.push(`${name}: unknown key, left out`);
  if (keys['tools'])
    notes.push('tools: Python files cannot run here; describe them as HTTP tools (agent.tools)');
  return {
    ...(greeting === undefined ? {} : { greeting }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(key === undefined ? {} : { key }),
    openai: openAiOf(reader),
    ...(to === undefined
      ? {}
      : { transfer: { to, ...(referredBy === undefined ? {} : { referredBy }) } }),
    notes,
  };
}

/** A key with two spellings; the first counts. */
export function spelled(keys: AvcKeys, name: keyof typeof spellings): string | undefined {
  return spellings[name].map((spelling) => keys[spelling]).find((text) => text);
}

/** As Python's configparser reads a truth. */
export function isTrue(text: string | undefined): boolean {
  return /^(1|yes|true|on)$/i.test(text ?? '');
}

function openAiOf(reader: Reader): Record<string, unknown> {
  const voice = spelled(reader.keys, 'voice');
  const settings = {
    model: reader.text('model'),
    voice,
    url: reader.url(),
    turnDetection: turnDetectionOf(reader),
    maxOutputTokens:
      reader.keys['max_tokens']?.toLowerCase() === 'inf'
        ? undefined
        : reader.number('max_tokens', { min: 1, max: 4096, isWhole: true }),
    temperature: reader.number('temperature', { min: 0, max: 2 }),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function turnDetectionOf(reader: Reader): object | undefined {
  const type = reader.text('turn_detection_type');
  if (type === 'semantic_vad') return { type };
  if (type !== undefined && type !== 'server_vad') {
    reader.notes.push('turn_detection_type: neither server_vad nor semantic_vad, left out');
    return undefined;
  }
  const silence = { min: 50, max: 5000, isWhole: true };
  const detection = {
    threshold: reader.number('turn_detection_threshold', { min: 0, max: 1 }),
    prefixPaddingMs: reader.number('turn_detection_prefix_ms', {
      min: 0,
      max: 5000,
      isWhole: true,
    }),
    silenceDurationMs: reader.number('turn_detection_silence_ms', silence),
  };
  const given = Object.entries(detection).filter(([, value]) => value !== undefined);
  if (type === undefined && given.length === 0) return undefined;
  return { type: 'server_vad', ...Object.fromEntries(given) };
}

/** Reads values; what cannot be used is noted and left out. */
class Reader {
  readonly keys: AvcKeys;
  readonly notes: string[];

  constructor(keys: AvcKeys, notes: string[]) {
    this.keys = keys;
    this.notes = notes;
  }

  text(name: string): string | undefined {
    return this.keys[name] || undefined;
  }

  number(
    name: string,
    range: { readonly min: number; readonly max: number; readonly isWhole?: boolean },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    const isGood =
      value >= range.min && value <= range.max && (!range.isWhole || Number.isInteger(value));
    if (isGood) return value;
    this.notes.push(`${name}: no number from ${range.min} to ${range.max}, left out`);
    return undefined;
  }

  /** `<sip:x@y>` or `sip:x@y`. */
  uri(name: string): string | undefined {
    const text = this.text(name)?.replace(/^<(.*)>$/, '$1');
    if (text === undefined || /^(sips?:\S+@\S+|sips?:[a-zA-Z0-9[]\S*|tel:[+0-9*#]\S*)$/.test(text))
      return text;
    this.notes.push(`${name}: no sip:, sips: or tel: URI, left out`);
    return undefined;
  }

  /** Theirs is the whole address, `wss://host/v1/realtime?model={}`; ours ends before /realtime. */
  url(): string | undefined {
    const text = this.text('url');
    if (text === undefined) return undefined;
    const base = text.replace(/\/realtime\/?(\?.*)?$/, '');
    if (/^wss?:\/\/[^\s?]+$/.test(base) && URL.canParse(base)) return base;
    this.notes.push('url: not of the form wss://host/v1/realtime?model={}, left out');
    return undefined;
  }
}
