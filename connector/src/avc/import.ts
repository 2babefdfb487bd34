import { Document } from 'yaml';
import { type Env, fromEnvironment } from './environment.ts';
import { type IniFile, parseIni } from './ini.ts';
import { type AvcKeys, isTrue, readOpenAiKeys, spelled } from './openai-keys.ts';
import { callLimitOf, rtpOf } from './rtp.ts';

/** A configuration of the OpenSIPS AI Voice Connector, in the form of ours. */
export interface Imported {
  /** Our file. No key is in it: it names environment variables. */
  readonly yaml: string;
  /** What could not be taken over; one line each, without values. */
  readonly left: readonly string[];
  /** What is otherwise here, or still to do. */
  readonly notes: readonly string[];
  /** The keys, by the variable that `yaml` names. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Flavours whose speech services are not here yet: taken over as disabled agents. */
const missing = new Set(['deepgram', 'deepgram_native', 'azure']);
const notFlavours = new Set(['engine', 'opensips', 'rtp']);

/** Reads `ini` with the environment beneath it. Throws an Error for what is no INI. */
export function importAvc(ini: string, env: Env): Imported {
  const file = parseIni(ini);
  const importer = new Importer(file, env);
  return importer.run();
}

class Importer {
  readonly #file: IniFile;
  readonly #env: Env;
  readonly #left: string[] = [];
  readonly #notes: string[] = [];
  readonly #secrets: Record<string, string> = {};

  constructor(file: IniFile, env: Env) {
    this.#file = file;
    this.#env = env;
  }

  run(): Imported {
    const maxCalls = callLimitOf(this.#section('rtp'));
    const agents = this.#agents().map((agent) =>
      maxCalls === undefined ? agent : { ...agent, maxCalls },
    );
    if (agents.length === 0)
      throw new Error('there is no agent: neither a flavour with its section nor OPENAI_API_KEY');
    const override = this.#override();
    const rtp = rtpOf(this.#section('rtp'), this.#left);
    const content = { rtp, ...(override ? { override } : {}), agents };
    const document = new Document(content);
    document.commentBefore =
      ' Made from a configuration of the OpenSIPS AI Voice Connector.\n' +
      ' sip.listen is UDP and TCP on port 5060 where nothing else is said: calls come here directly.';
    for (const line of this.#left) document.commentBefore += `\n Not taken over: ${line}`;
    if (this.#file.sections.has('opensips') || this.#file.sections.has('engine'))
      this.#notes.push(
        '[opensips] and [engine] events are not needed: route calls to this SIP address',
      );
    return {
      yaml: document.toString({ lineWidth: 0 }),
      left: this.#left,
      notes: this.#notes,
      secrets: this.#secrets,
    };
  }

  /** The file counts over the environment. */
  #section(name: string): AvcKeys {
    return { ...fromEnvironment(name, this.#env), ...this.#file.sections.get(name) };
  }

  #agents(): object[] {
    const named = [...this.#file.sections.keys()].filter((name) => !notFlavours.has(name));
    const isOpenAiSet = spelled(fromEnvironment('openai', this.#env), 'key') !== undefined;
    const names = named.includes('openai') || !isOpenAiSet ? named : [...named, 'openai'];
    return names.flatMap((name) => {
      if (name === 'openai') return [this.#openAi(this.#section(name))];
      // [deepgram_native] inherits all of [deepgram].
      const inherited = name === 'deepgram_native' ? this.#section('deepgram') : {};
      if (missing.has(name)) return [this.#missing(name, { ...inherited, ...this.#section(name) })];
      this.#left.push(`[${name}]: no flavour of that connector`);
      return [];
    });
  }

  #openAi(keys: AvcKeys): object {
    const { greeting, instructions, openai, transfer, key, notes } = readOpenAiKeys(keys);
    this.#left.push(...notes.map((note) => `[openai] ${note}`));
    const { temperature, ...settings } = openai;
    if (temperature !== undefined)
      this.#left.push('[openai] temperature: the API has had no such setting since GA');
    if (key !== undefined) this.#secrets['OPENAI_API_KEY'] = key;
    this.#notes.push('OPENAI_API_KEY must hold the key of [openai] when the connector runs');
    return {
      name: 'openai',
      ...common(keys),
      ...(greeting === undefined ? {} : { greeting }),
      ...(instructions === undefined ? {} : { instructions }),
      // Theirs is alloy: callers know the voice.
      providers: [{ openai: { voice: 'alloy', ...settings, apiKeyEnv: 'OPENAI_API_KEY' } }],
      tools: [
        { name: 'terminate_call', hangUp: {} },
        ...(transfer ? [transferTool(transfer)] : []),
      ],
    };
  }

  #missing(name: string, keys: AvcKeys): object {
    this.#left.push(
      `[${name}]: the flavour is not supported; its agent is disabled, and would answer by OpenAI`,
    );
    const { greeting, instructions } = readOpenAiKeys(keys);
    return {
      name: name.replaceAll('_', '-'),
      ...common(keys),
      disabled: true,
      ...(greeting === undefined ? {} : { greeting }),
      ...(instructions === undefined ? {} : { instructions }),
      providers: [{ openai: { voice: 'alloy' } }],
    };
  }

  #override(): object | undefined {
    const url = this.#section('engine')['api_url'];
    if (!url) return undefined;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      this.#left.push('[engine] api_url: no http:// or https:// address');
      return undefined;
    }
    if (new URL(url).username !== '') {
      this.#left.push('[engine] api_url: has a password in it; use override.webhook.headersFile');
      return undefined;
    }
    this.#notes.push('override.allow: keys and addresses from the webhook count only if listed');
    return { webhook: { url, allowPrivateAddresses: true }, allow: ['transfer'] };
  }
}

/** Patterns are not a setting of theirs for a file, but of the answer of their API; either is taken. */
function common(keys: AvcKeys): object {
  const { match } = keys;
  return {
    ...(match ? { match: matchList(match) } : {}),
    ...(isTrue(spelled(keys, 'disabled')) ? { disabled: true } : {}),
  };
}

/** One pattern, or a JSON list of them. */
function matchList(text: string): string[] {
  if (!text.startsWith('[')) return [text];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.map(String) : [text];
  } catch {
    return [text];
  }
}

function transferTool({ to, referredBy }: { to: string; referredBy?: string }): object {
  const destinations = [{ name: 'default', to }];
  const by = referredBy === undefined ? {} : { referredBy };
  return { name: 'transfer_call', transfer: { destinations, ...by } };
}
