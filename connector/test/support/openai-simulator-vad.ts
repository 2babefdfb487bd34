import { type AudioFormat, bytesPerMillisecondOf } from '../../src/media/format.ts';

/** Voice activity by energy, on a clock of audio received: what a server's `server_vad` does, roughly. */

export interface VadOptions {
  readonly law: AudioFormat;
  /** Silence that ends a turn, ms. */
  readonly silence: number;
}

const frameLength = 20;
// Mean magnitude of 16-bit samples; line noise is below, telephone speech far above.
const threshold = 500;
// Speech begins with the third loud frame in a row.
const onsetFrames = 3;

export class Vad {
  readonly #options: VadOptions;
  #rest = Buffer.alloc(0);
  #position = 0;
  #loud = 0;
  #quiet = 0;
  #isSpeaking = false;

  constructor(options: VadOptions) {
    this.#options = options;
  }

  /** ms of audio received. */
  get position(): number {
    return this.#position;
  }

  /** What the audio begins or ends. */
  push(audio: Buffer): ('started' | 'stopped')[] {
    this.#rest = Buffer.concat([this.#rest, audio]);
    const changes: ('started' | 'stopped')[] = [];
    const frameBytes = frameLength * bytesPerMillisecondOf(this.#options.law);
    for (; this.#rest.length >= frameBytes; this.#rest = this.#rest.subarray(frameBytes)) {
      const change = this.#frame(this.#rest.subarray(0, frameBytes));
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  #frame(frame: Buffer): 'started' | 'stopped' | undefined {
    this.#position += frameLength;
    const isLoud = loudness(frame, this.#options.law) > threshold;
    this.#loud = isLoud ? this.#loud + 1 : 0;
    this.#quiet = isLoud ? 0 : this.#quiet + 1;
    if (!this.#isSpeaking && this.#loud >= onsetFrames) {
      this.#isSpeaking = true;
      return 'started';
    }
    if (this.#isSpeaking && this.#quiet * frameLength >= this.#options.silence) {
      this.#isSpeaking = false;
      return 'stopped';
    }
    return undefined;
  }
}

function loudness(frame: Buffer, law: AudioFormat): number {
  if (law === 'pcm24k') return magnitudeOfSamples(frame);
  const magnitude = law === 'pcmu' ? magnitudeOfMu : magnitudeOfA;
  return frame.reduce((sum, byte) => sum + magnitude(byte), 0) / frame.length;
}

function magnitudeOfSamples(frame: Buffer): number {
  let sum = 0;
  for (let at = 0; at < frame.length; at += 2) sum += Math.abs(frame.readInt16LE(at));
  return (2 * sum) / frame.length;
}

/** ITU-T G.711, table 2a: inverted bits, segment and mantissa, bias 33 of 14 bits. */
function magnitudeOfMu(byte: number): number {
  const bits = ~byte & 0x7f;
  return ((((bits & 0x0f) << 1) + 33) << (bits >> 4)) * 4 - 132;
}

/** ITU-T G.711, table 1a: even bits inverted, 13 bits. */
function magnitudeOfA(byte: number): number {
  const bits = (byte ^ 0x55) & 0x7f;
  const segment = bits >> 4;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  return segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);
}
