import { createHash } from 'node:crypto';
import { WatchedProvider } from './agent/provider-health.ts';
import { createLocalProvider } from './ai/local/provider.ts';
import { createSpeaker, type Speaker as PcmSpeaker } from './ai/local/speech.ts';
import { createOpenAiProvider } from './ai/openai/provider.ts';
import type { Clock } from './base/clock.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Secrets } from './config/secret.ts';
import type { Agent } from './contract/agent.ts';
import { maxDurationPhrase, type Speaker, waitingPhrase } from './conversation/phrases.ts';
import { createConverter } from './media/audio/codecs.ts';

export interface ProviderParts {
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  readonly provider: WatchedProvider;
  users: number;
}

/** An agent, and where its secrets are. */
export interface AgentWithSecrets {
  /** `agent`, `agents.0`. */
  readonly path: string;
  readonly agent: Agent;
  readonly secrets: Secrets;
  /** What a local provider prepares, where it is not the agent's: engines are not started for one call. */
  readonly preparedGreeting?: string | undefined;
}

/** Providers taken together for one agent; each take is given back once. */
export interface Taken {
  readonly providers: readonly WatchedProvider[];
  readonly giveBack: () => void;
}

/**
 * The providers of all configurations that calls still have. What did not change from one to the next
 * is one provider, which keeps its threads and what is known of it.
 */
export class ProviderPool {
  readonly #parts: ProviderParts;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  /** One provider for each of the agent's. Throws CONFIG_INVALID; then nothing was taken. */
  take(of: AgentWithSecrets): Taken {
    const keys: string[] = [];
    const giveBack = () => {
      for (const key of keys.splice(0)) this.#leave(key);
    };
    try {
      const providers = of.agent.providers.map((_, index) => {
        const key = keyOf(of, index);
        const entry = this.#entries.get(key) ?? this.#add(key, this.#create(of, index));
        entry.users += 1;
        keys.push(key);
        return entry.provider;
      });
      return { providers, giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const key of this.#entries.keys()) this.#remove(key);
    await Promise.all(this.#closing);
  }

  #add(key: string, provider: WatchedProvider): Entry {
    const entry = { provider, users: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #leave(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.users -= 1;
    if (entry.users === 0) this.#remove(key);
  }

  #remove(key: string): void {
    const { provider } = this.#entries.get(key) ?? {};
    this.#entries.delete(key);
    const { log } = this.#parts;
    const closing = provider?.close().catch((error: unknown) => {
      log.error({ error: messageOf(error) }, 'a provider did not close');
    });
    if (!closing) return;
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  #create(of: AgentWithSecrets, index: number): WatchedProvider {
    const { clock, log } = this.#parts;
    const { agent, secrets } = of;
    const redact = (text: string) => secrets.redact(text);
    const entry = agent.providers[index];
    if (!entry) throw new ConnectorError('CONFIG_INVALID', 'there is no such provider');
    const provider =
      'openai' in entry
        ? createOpenAiProvider({ options: entry.openai, apiKey: keyFor(of, index), clock, log })
        : createLocalProvider({
            options: entry.local,
            greeting: of.preparedGreeting ?? agent.greeting,
            clock,
            log,
            random: Math.random,
          });
    return new WatchedProvider({ provider, clock, redact });
  }
}

/** The same for providers that are made of the same. */
function keyOf(of: AgentWithSecrets, index: number): string {
  const { providers } = of.agent;
  const greeting = of.preparedGreeting ?? of.agent.greeting;
  const entry = providers[index];
  const isLocal = entry !== undefined && 'local' in entry;
  const parts = [entry, isLocal ? greeting : keyFor(of, index)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function keyFor({ secrets, path }: AgentWithSecrets, index: number): string {
  return secrets.get(`${path}.providers.${index}.openai.apiKey`) ?? '';
}

/** The voice for what has to be said without a provider. */
export class PhraseVoice {
  readonly #log: Log;
  readonly #speaker: PcmSpeaker;
  #isClosed = false;

  constructor({ clock, log }: ProviderParts) {
    this.#log = log;
    this.#speaker = createSpeaker({ clock, log });
  }

  /** The voice of an agent; it begins at once to synthesise what that agent may have to say. */
  speakerFor(agent: Agent): Speaker {
    const voice = voiceOf(agent);
    for (const phrase of phrasesOf(agent)) {
      this.#speaker.speak(phrase, voice).catch((error: unknown) => {
        if (this.#isClosed) return;
        this.#log.warn({ error: messageOf(error) }, 'a phrase could not be synthesised');
      });
    }
    return async (text, format) =>
      createConverter('pcm8k', format)(await this.#speaker.speak(text, voice));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#speaker.close();
  }
}

function voiceOf({ providers }: Agent) {
  const [local] = providers.flatMap((entry) => ('local' in entry ? [entry.local] : []));
  return local?.voice ?? 'slt';
}

function phrasesOf({ apology, noInput }: Agent): string[] {
  return [apology, waitingPhrase, maxDurationPhrase, noInput.prompt, noInput.goodbye];
}
