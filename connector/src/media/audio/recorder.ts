import type { Law } from '../law.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import { expansionOf } from './g711.ts';

/**
 * Both sides of a call on one time line: caller left, agent right. The agent's frames are the clock;
 * the caller's audio is placed by its RTP timestamps, so that jitter, loss and reordering do not
 * shift it. Written some frames later than played, to wait for what is late.
 */

const sampleRateHz = 8000;
/** Samples that output is behind the agent's clock: what arrives later than 200 ms is not recorded. */
const delaySamples = 1600;
const ringSamples = 8192;
// Further from its place than this, the caller's clock was reset (new source, hold).
const maxOffsetSamples = 1200;
// One write a second.
const chunkSamples = sampleRateHz;
const frameBytes = 4;

export interface SampleSink {
  write(samples: Buffer): void;
  close(): Promise<void>;
}

export class StereoRecorder {
  readonly #sink: SampleSink;
  readonly #law: Law;
  readonly #left = new Int16Array(ringSamples);
  readonly #right = new Int16Array(ringSamples);
  /** Samples of the agent's clock so far, and how many of them were put out. */
  #clock = 0;
  #written = 0;
  #chunk = Buffer.alloc(chunkSamples * frameBytes);
  #chunkSize = 0;
  /** A timestamp of the caller and the place it was given. */
  #anchor: { readonly timestamp: number; readonly place: number } | undefined;

  constructor(sink: SampleSink, law: Law) {
    this.#sink = sink;
    this.#law = law;
  }

  caller(audio: Buffer, timestamp: number): void {
    const place = this.#placeOf(timestamp, audio.length);
    const table = expansionOf(this.#law);
    for (let index = Math.max(0, this.#written - place); index < audio.length; index++)
      this.#left[(place + index) % ringSamples] = table[audio[index] ?? 0] ?? 0;
  }

  /** One frame as it was sent. */
  agent(frame: Buffer): void {
    const table = expansionOf(this.#law);
    for (let index = 0; index < frame.length; index++)
      this.#right[(this.#clock + index) % ringSamples] = table[frame[index] ?? 0] ?? 0;
    this.#advance(frame.length);
  }

  /** Time in which nothing was sent. */
  pass(samples: number): void {
    for (let left = samples; left > 0; left -= delaySamples)
      this.#advance(Math.min(left, delaySamples));
  }

  async close(): Promise<void> {
    this.#advance(delaySamples);
    this.#sink.write(this.#chunk.subarray(0, this.#chunkSize));
    this.#chunkSize = 0;
    await this.#sink.close();
  }

  #placeOf(timestamp: number, length: number): number {
    const anchor = this.#anchor;
    const expected = Math.max(0, this.#clock - length);
    if (anchor) {
      const place = anchor.place + timestampDistance(anchor.timestamp, timestamp);
      if (Math.abs(place - expected) <= maxOffsetSamples) return place;
    }
    this.#anchor = { timestamp, place: expected };
    return expected;
  }

  #advance(samples: number): void {
    this.#clock += samples;
    for (; this.#written < this.#clock - delaySamples; this.#written++) this.#put(this.#written);
  }

  #put(place: number): void {
    const at = place % ringSamples;
    this.#chunk.writeInt16LE(this.#left[at] ?? 0, this.#chunkSize);
    this.#chunk.writeInt16LE(this.#right[at] ?? 0, this.#chunkSize + 2);
    this.#left[at] = 0;
    this.#right[at] = 0;
    this.#chunkSize += frameBytes;
    if (this.#chunkSize < this.#chunk.length) return;
    this.#sink.write(this.#chunk);
    this.#chunk = Buffer.alloc(chunkSamples * frameBytes);
    this.#chunkSize = 0;
  }
}
