import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Detector } from './detector.ts';
import type { Voice } from './flite.ts';
import type { RecogniserJob } from './recogniser-worker.ts';
import type { Recognition } from './soundswallower.ts';
import type { SpeakerJob } from './speaker-worker.ts';
import { SpeechCache } from './speech-cache.ts';
import { WorkerPool } from './worker-pool.ts';

export interface EngineOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Threads of each engine at most; by default one for each core. */
  readonly workers?: number | undefined;
}

/** 16 bit at 8000 Hz: seventeen minutes of speech. */
const cacheBytes = 16 * 1024 * 1024;

/** Text to speech in threads of their own, sentences remembered. */
export class SpeakerEngine {
  readonly #pool: WorkerPool<SpeakerJob, Int16Array>;
  readonly #cache = new SpeechCache(cacheBytes);

  constructor(options: EngineOptions) {
    this.#pool = new WorkerPool(poolOptions('speaker', options));
  }

  warm(): Promise<void> {
    return this.#pool.warm();
  }

  /** Samples of a sentence, 8000 a second. Rejects with PROVIDER_UNAVAILABLE. */
  async speak(text: string, voice: Voice, owner: object): Promise<Int16Array> {
    const key = `${voice} ${text}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const samples = await this.#pool.run({ text, voice }, owner);
    this.#cache.set(key, samples);
    return samples;
  }

  drop(owner: object): void {
    this.#pool.drop(owner);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Speech to text by grammar. Each thread holds one decoder of 27 MB. */
export function createRecogniserPool(
  options: EngineOptions,
): WorkerPool<RecogniserJob, Recognition> {
  return new WorkerPool(poolOptions('recogniser', options));
}

export function createDetector(options: EngineOptions): Detector {
  return new Detector(poolOptions('detector', options));
}

function poolOptions(name: 'speaker' | 'recogniser' | 'detector', options: EngineOptions) {
  return {
    name,
    start: () => new Worker(new URL(`./${name}-worker.ts`, import.meta.url)),
    size: sizeOf(options),
    clock: options.clock,
    log: options.log,
  };
}

function sizeOf(options: EngineOptions): number {
  return options.workers ?? availableParallelism();
}
