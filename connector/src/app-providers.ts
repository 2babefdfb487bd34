import { createLocalProvider } from './ai/local/provider.ts';
import { createSpeaker } from './ai/local/speech.ts';
import { createOpenAiProvider } from './ai/openai/provider.ts';
import type { Provider } from './ai/session.ts';
import type { Clock } from './base/clock.ts';
import type { CloseInOrder } from './base/close-in-order.ts';
import { messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import type { Agent } from './contract/agent.ts';
import { maxDurationPhrase, type Speaker, waitingPhrase } from './conversation/phrases.ts';
import { encode } from './media/audio/g711.ts';

/** What the AI side of a process is built from; `parts` closes it. */
export interface ProviderParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly parts: CloseInOrder;
}

/** One provider for each entry of the agent, shared by its calls. Throws CONFIG_INVALID. */
export function createProviders({ config, clock, log, parts }: ProviderParts): Provider[] {
  return config.agent.providers.map((entry, index) => {
    const provider =
      'openai' in entry
        ? createOpenAiProvider({
            options: entry.openai,
            apiKey: config.secrets.get(`agent.providers.${index}.openai.apiKey`) ?? '',
            clock,
            log,
          })
        : createLocalProvider({
            options: entry.local,
            greeting: config.agent.greeting,
            clock,
            log,
            random: Math.random,
          });
    parts.add(`provider ${provider.name}`, () => provider.close());
    return provider;
  });
}

/** The voice for what has to be said without a provider; it begins to synthesise that at once. */
export function createPhraseSpeaker({ config, clock, log, parts }: ProviderParts): Speaker {
  const voice = voiceOf(config.agent);
  const speaker = createSpeaker({ clock, log });
  parts.add('speaker', () => speaker.close());
  for (const phrase of phrasesOf(config.agent)) {
    speaker.speak(phrase, voice).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'a phrase could not be synthesised');
    });
  }
  return async (text, law) => encode(law, samplesOf(await speaker.speak(text, voice)));
}

function voiceOf({ providers }: Agent) {
  const [local] = providers.flatMap((entry) => ('local' in entry ? [entry.local] : []));
  return local?.voice ?? 'slt';
}

function phrasesOf({ apology, noInput }: Agent): string[] {
  return [apology, waitingPhrase, maxDurationPhrase, noInput.prompt, noInput.goodbye];
}

/** 16 bit little-endian bytes as numbers, wherever in memory they begin. */
function samplesOf(pcm: Buffer): Int16Array {
  return Int16Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(index * 2));
}
