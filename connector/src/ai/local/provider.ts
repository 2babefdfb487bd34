import type { Clock } from '../../base/clock.ts';
import { ConnectorError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Provider } from '../session.ts';
import { createDetector, createRecogniserPool, SpeakerEngine } from './engines.ts';
import type { LocalOptions } from './options.ts';
import { Script } from './script.ts';
import { sentencesOf } from './sentences.ts';
import { LocalSession } from './session.ts';
import { readVocabulary } from './vocabulary.ts';

export interface LocalProviderOptions {
  readonly options: LocalOptions;
  /** Said when the agent is to speak first. Synthesised when the provider is made. */
  readonly greeting?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Threads of each engine at most; by default one for each core. */
  readonly workers?: number | undefined;
}

/**
 * The AI that needs no network: grammar, slots and replies written down by the user. Throws a
 * ConnectorError CONFIG_INVALID for a phrase or word that cannot be recognised.
 */
export function createLocalProvider(parts: LocalProviderOptions): Provider {
  const { options, greeting, clock, log, random } = parts;
  const script = new Script(options, readVocabulary());
  const speaker = new SpeakerEngine(parts);
  const recogniser = createRecogniserPool(parts);
  const detector = createDetector(parts);
  const warm = () => Promise.all([detector.warm(), recogniser.warm(), speaker.warm()]);
  warmAhead().catch(() => undefined);
  return {
    name: 'local',
    formats: ['pcmu', 'pcma', 'pcm16k'],
    async open(session, onEvent, signal) {
      await unlessAborted(warm(), signal);
      return new LocalSession(
        {
          setup: { script, options, greeting },
          options,
          detector,
          recogniser,
          speaker,
          clock,
          log,
          random,
          onEvent,
        },
        session,
      );
    },
    async close() {
      await Promise.all([detector.close(), recogniser.close(), speaker.close()]);
    },
  };

  /**
   * The first caller shall wait neither for threads nor for the greeting, later ones not for replies that
   * are always the same. Failures show when a call opens.
   */
  async function warmAhead(): Promise<void> {
    const began = clock.now();
    await Promise.all([warm(), prepare([greeting ?? ''])]);
    log.info({ took: Math.round(clock.now() - began) }, 'local engines ready');
    const fixed = options.intents.flatMap(({ reply = '' }) => (reply.includes('{') ? [] : reply));
    await prepare([options.fallback, ...fixed]);
  }

  async function prepare(texts: readonly string[]): Promise<void> {
    for (const sentence of new Set(texts.flatMap((text) => sentencesOf(text))))
      await speaker.speak(sentence, options.voice, speaker);
  }
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () =>
    aborted.reject(
      new ConnectorError('PROVIDER_TIMEOUT', 'the local engines did not start in time'),
    );
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
