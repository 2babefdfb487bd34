import type { Clock, Timer } from '../../base/clock.ts';
import { createConverter } from '../../media/audio/codecs.ts';
import { samplesOf } from '../../media/audio/pcm.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { Detector, DetectorStream } from './detector.ts';
import { frameSamples, joined, type Segment, Segmenter } from './segmenter.ts';

export interface CallerEarOptions {
  readonly detector: Pick<Detector, 'open'>;
  readonly format: AudioFormat;
  /** ms. */
  readonly endSilence: number;
  readonly clock: Clock;
  readonly onSegment: (segment: Segment) => void;
}

/** Cuts the caller's audio, as it comes, into utterances. */
export class CallerEar {
  readonly #options: CallerEarOptions;
  readonly #stream: DetectorStream;
  readonly #segmenter: Segmenter;
  readonly #convert: (audio: Buffer) => Buffer;
  /** Frames whose probability is still to come. */
  readonly #waiting: Int16Array[] = [];
  #frame = new Int16Array(frameSamples);
  #filled = 0;
  #audioAt = 0;
  #stall: Timer | undefined;

  constructor(options: CallerEarOptions) {
    this.#options = options;
    this.#segmenter = new Segmenter(options.endSilence);
    this.#convert = createConverter(options.format, 'pcm8k');
    this.#stream = options.detector.open((probabilities) => this.#detected(probabilities));
  }

  get isSpeaking(): boolean {
    return this.#segmenter.isSpeaking;
  }

  /** The hot path: decodes, and sends every full frame on its way. */
  append(audio: Buffer): void {
    this.#audioAt = this.#options.clock.now();
    const full: Int16Array[] = [];
    for (const sample of samplesOf(this.#convert(audio))) {
      this.#frame[this.#filled++] = sample;
      if (this.#filled < frameSamples) continue;
      full.push(this.#frame);
      this.#frame = new Int16Array(frameSamples);
      this.#filled = 0;
    }
    const [first] = full;
    if (!first) return;
    this.#waiting.push(...full);
    this.#stream.push(full.length === 1 ? first : joined(full));
  }

  close(): void {
    this.#stall?.cancel();
    this.#stream.close();
  }

  #detected(probabilities: readonly number[]): void {
    for (const probability of probabilities) {
      const frame = this.#waiting.shift();
      if (!frame) return;
      this.#pass(this.#segmenter.push(frame, probability));
    }
  }

  #pass(segment: Segment | undefined): void {
    if (!segment) return;
    this.#stall?.cancel();
    if (segment.type === 'started') this.#watch(this.#options.endSilence);
    this.#options.onSegment(segment);
  }

  /** Phones may send nothing instead of silence: then the clock ends the utterance. */
  #watch(delay: number): void {
    const { clock, endSilence } = this.#options;
    this.#stall = clock.after(delay, () => {
      const left = this.#audioAt + endSilence - clock.now();
      if (left > 0) this.#watch(left);
      else this.#pass(this.#segmenter.end());
    });
  }
}
