import { type AudioFormat, sampleRateOf } from '../format.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { fromFormat } from './pcm.ts';

/**
 * Both sides of a call on one time line: caller left, agent right. The agent's frames are the clock;
 * the caller's audio is placed by its RTP timestamps, so that jitter, loss and reordering do not
 * shift it. Written some frames later than played, to wait for what is late.
 */

/** ms that output is behind the agent's clock: what arrives later is not recorded. */
const delay = 200;
// A little more than a second.
const ringLength = 1024;
// Further from its place than this, the caller's clock was reset (new source, hold).
const maxOffset = 150;
// One write a second.
const chunkLength = 1000;
const frameBytes = 4;

export interface SampleSink {
  write(samples: Buffer): void;
  close(): Promise<void>;
}

export class StereoRecorder {
  readonly #sink: SampleSink;
  readonly #format: AudioFormat;
  /** Samples of a ms. */
  readonly #rate: number;
  readonly #ringSamples: number;
  readonly #left: Int16Array;
  readonly #right: Int16Array;
  /** Samples of the agent's clock so far, and how many of them were put out. */
  #clock = 0;
  #written = 0;
  #chunk: Buffer;
  #chunkSize = 0;
  /** A timestamp of the caller and the place it was given. */
  #anchor: { readonly timestamp: number; readonly place: number } | undefined;

  constructor(sink: SampleSink, format: AudioFormat) {
    this.#sink = sink;
    this.#format = format;
    this.#rate = sampleRateOf(format) / 1000;
    this.#ringSamples = ringLength * this.#rate;
    this.#left = new Int16Array(this.#ringSamples);
    this.#right = new Int16Array(this.#ringSamples);
    this.#chunk = this.#newChunk();
  }

  /** Audio of the format; `timestamp` counts `unitsPerMs` a ms. */
  caller(audio: Buffer, timestamp: number, unitsPerMs = 8): void {
    const samples = fromFormat(this.#format, audio);
    const place = this.#placeOf(timestamp, unitsPerMs, samples.length);
    for (let index = Math.max(0, this.#written - place); index < samples.length; index++)
      this.#left[(place + index) % this.#ringSamples] = samples[index] ?? 0;
  }

  /** One frame as it was sent. */
  agent(frame: Buffer): void {
    const samples = fromFormat(this.#format, frame);
    for (let index = 0; index < samples.length; index++)
      this.#right[(this.#clock + index) % this.#ringSamples] = samples[index] ?? 0;
    this.#advance(samples.length);
  }

  /** Time (ms) in which nothing was sent. */
  pass(duration: number): void {
    for (let left = duration; left > 0; left -= delay)
      this.#advance(Math.min(left, delay) * this.#rate);
  }

  async close(): Promise<void> {
    this.#advance(delay * this.#rate);
    this.#sink.write(this.#chunk.subarray(0, this.#chunkSize));
    this.#chunkSize = 0;
    await this.#sink.close();
  }

  #placeOf(timestamp: number, unitsPerMs: number, length: number): number {
    const anchor = this.#anchor;
    const expected = Math.max(0, this.#clock - length);
    if (anchor) {
      const units = timestampDistance(anchor.timestamp, timestamp);
      const place = anchor.place + Math.round((units / unitsPerMs) * this.#rate);
      if (Math.abs(place - expected) <= maxOffset * this.#rate) return place;
    }
    this.#anchor = { timestamp, place: expected };
    return expected;
  }

  #advance(samples: number): void {
    this.#clock += samples;
    for (; this.#written < this.#clock - delay * this.#rate; this.#written++)
      this.#put(this.#written);
  }

  #put(place: number): void {
    const at = place % this.#ringSamples;
    this.#chunk.writeInt16LE(this.#left[at] ?? 0, this.#chunkSize);
    this.#chunk.writeInt16LE(this.#right[at] ?? 0, this.#chunkSize + 2);
    this.#left[at] = 0;
    this.#right[at] = 0;
    this.#chunkSize += frameBytes;
    if (this.#chunkSize < this.#chunk.length) return;
    this.#sink.write(this.#chunk);
    this.#chunk = this.#newChunk();
    this.#chunkSize = 0;
  }

  #newChunk(): Buffer {
    return Buffer.alloc(chunkLength * this.#rate * frameBytes);
  }
}
