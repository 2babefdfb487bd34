/** The offline engines on their own, for those who want a voice or an ear without a session. */
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import { createDetector, createRecogniserPool, SpeakerEngine } from './engines.ts';
import type { Voice } from './flite.ts';
import { Script } from './script.ts';
import { frameSamples, joined, Segmenter } from './segmenter.ts';
import { sentencesOf } from './sentences.ts';
import type { Recognition } from './soundswallower.ts';
import { readVocabulary } from './vocabulary.ts';

export type { Voice } from './flite.ts';
export type { Recognition } from './soundswallower.ts';

export interface SpeechOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** Threads at most; 1 by default. */
  readonly workers?: number;
}

export interface Speaker {
  /** 16 bit little-endian samples, 8000 a second. Rejects with a ConnectorError PROVIDER_UNAVAILABLE. */
  speak(text: string, voice: Voice): Promise<Buffer>;
  close(): Promise<void>;
}

/** A voice; repeated sentences are remembered. */
export function createSpeaker(options: SpeechOptions = {}): Speaker {
  const engine = new SpeakerEngine(engineOptions(options));
  return {
    async speak(text, voice) {
      const pieces = await Promise.all(
        sentencesOf(text).map((sentence) => engine.speak(sentence, voice, engine)),
      );
      return bytesOf(joined(pieces));
    },
    close: () => engine.close(),
  };
}

export interface Recogniser {
  /** `pcm`: 16 bit little-endian samples, 8000 a second, of one utterance. */
  recognise(pcm: Buffer): Promise<Recognition>;
  close(): Promise<void>;
}

export interface RecogniserOptions extends SpeechOptions {
  /** As intents have them, without slots: `I want [a] (small | large) pizza`. */
  readonly phrases: readonly string[];
  /** Word -> ARPAbet. */
  readonly pronunciations?: Readonly<Record<string, string>>;
}

/** An ear for some phrases. Throws a ConnectorError CONFIG_INVALID for a word it does not know. */
export function createRecogniser(options: RecogniserOptions): Recogniser {
  const { phrases, pronunciations = {} } = options;
  const intents = [{ name: 'phrases', phrases }];
  const script = new Script({ intents, slots: {}, pronunciations }, readVocabulary());
  const pool = createRecogniserPool(engineOptions(options));
  return {
    recognise: (pcm) =>
      pool.run(
        {
          samples: samplesOf(pcm),
          grammar: script.grammar(undefined),
          pronunciations: script.pronunciations,
        },
        pool,
      ),
    close: () => pool.close(),
  };
}

export interface Utterance {
  /** Samples from the beginning of the audio. */
  readonly start: number;
  readonly end: number;
  /** 16 bit little-endian samples, with a little silence around. */
  readonly pcm: Buffer;
}

export interface VoiceFinder {
  /** The utterances in a recording of 16 bit samples, 8000 a second, kept apart by `endSilence` (ms). */
  utterances(pcm: Buffer, endSilence: number): Promise<Utterance[]>;
  close(): Promise<void>;
}

/** Finds the voices in recordings. */
export function createVoiceFinder(options: SpeechOptions = {}): VoiceFinder {
  const detector = createDetector(engineOptions(options));
  return {
    async utterances(pcm, endSilence) {
      await detector.warm();
      const samples = samplesOf(pcm);
      const whole = samples.slice(0, samples.length - (samples.length % frameSamples));
      return cut(whole, await probabilitiesOf(whole), endSilence);
    },
    close: () => detector.close(),
  };

  function probabilitiesOf(samples: Int16Array): Promise<readonly number[]> {
    if (samples.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const stream = detector.open((probabilities) => {
        stream.close();
        resolve(probabilities);
      });
      stream.push(samples);
    });
  }
}

function cut(
  samples: Int16Array,
  probabilities: readonly number[],
  endSilence: number,
): Utterance[] {
  const segmenter = new Segmenter(endSilence);
  const utterances: Utterance[] = [];
  const add = (stopped: Int16Array, end: number) =>
    utterances.push({ start: Math.max(0, end - stopped.length), end, pcm: bytesOf(stopped) });
  for (const [index, probability] of probabilities.entries()) {
    const frame = samples.subarray(index * frameSamples, (index + 1) * frameSamples);
    const segment = segmenter.push(frame, probability);
    if (segment?.type === 'stopped')
      add(segment.samples, (index + 1) * frameSamples - segment.trimmed);
  }
  const last = segmenter.end();
  if (last?.type === 'stopped') add(last.samples, samples.length - last.trimmed);
  return utterances;
}

function engineOptions({ clock = systemClock, log = silentLog, workers = 1 }: SpeechOptions) {
  return { clock, log, workers };
}

function samplesOf(pcm: Buffer): Int16Array {
  const samples = new Int16Array(pcm.length >> 1);
  for (let index = 0; index < samples.length; index++) samples[index] = pcm.readInt16LE(2 * index);
  return samples;
}

function bytesOf(samples: Int16Array): Buffer {
  const pcm = Buffer.allocUnsafe(2 * samples.length);
  for (const [index, sample] of samples.entries()) pcm.writeInt16LE(sample, 2 * index);
  return pcm;
}
