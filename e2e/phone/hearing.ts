/** What a phone heard: every packet's sound, where it belongs and when it came. */

export interface HeardFrame {
  /** `performance.now()` of its arrival. */
  readonly at: number;
  /** Sample of the recording where it begins. */
  readonly position: number;
  readonly samples: Int16Array;
  /** Root mean square, 16 bit. */
  readonly level: number;
}

/** Below it a frame is silence: about -50 dBFS. */
const silenceLevel = 100;

export class Hearing {
  readonly #frames: HeardFrame[] = [];
  #length = 0;

  /** A packet's sound; `position` in samples since the first. */
  add(samples: Int16Array, position: number, at: number): void {
    this.#frames.push({ at, position, samples, level: levelOf(samples) });
    this.#length = Math.max(this.#length, position + samples.length);
  }

  get frames(): readonly HeardFrame[] {
    return this.#frames;
  }

  /** Samples so far: a mark to listen from. */
  get length(): number {
    return this.#length;
  }

  /** The recording, gaps as silence. */
  samples(from = 0, to = this.#length): Int16Array {
    const whole = new Int16Array(Math.max(0, to - from));
    for (const { position, samples } of this.#frames) {
      if (position + samples.length <= from || position >= to) continue;
      const first = Math.max(0, from - position);
      const part = samples.subarray(first, Math.min(samples.length, to - position));
      whole.set(part, position + first - from);
    }
    return whole;
  }

  /** Arrival of the first frame from sample `from` on that is not silent. */
  soundAfter(from: number): HeardFrame | undefined {
    return this.#frames.find(({ position, level }) => position >= from && level >= silenceLevel);
  }

  /**
   * When the sound that was going on at `at` ended: arrival of the first of `hold` ms of silent frames.
   * Undefined while it goes on.
   */
  silenceAfter(at: number, hold = 200): number | undefined {
    let began: number | undefined;
    for (const frame of this.#frames) {
      if (frame.at < at) continue;
      if (frame.level >= silenceLevel) began = undefined;
      else began ??= frame.at;
      if (began !== undefined && frame.at - began >= hold) return began;
    }
    return undefined;
  }

  /** Silence at the end of the recording, ms. */
  get quietFor(): number {
    const last = this.#frames.findLast(({ level }) => level >= silenceLevel);
    return (this.#length - (last ? last.position + last.samples.length : 0)) / 8;
  }

  /** RIFF/WAVE, 16 bit mono at 8000 Hz. */
  wave(): Buffer {
    const samples = this.samples();
    const head = Buffer.alloc(44);
    head.write('RIFF', 0, 'latin1');
    head.writeUInt32LE(36 + 2 * samples.length, 4);
    head.write('WAVEfmt ', 8, 'latin1');
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(8000, 24);
    head.writeUInt32LE(16_000, 28);
    head.writeUInt16LE(2, 32);
    head.writeUInt16LE(16, 34);
    head.write('data', 36, 'latin1');
    head.writeUInt32LE(2 * samples.length, 40);
    return Buffer.concat([head, pcmOf(samples)]);
  }
}

/** 16 bit little-endian. */
export function pcmOf(samples: Int16Array): Buffer {
  const pcm = Buffer.alloc(2 * samples.length);
  for (const [index, sample] of samples.entries()) pcm.writeInt16LE(sample, 2 * index);
  return pcm;
}

export function samplesOf(pcm: Buffer): Int16Array {
  return Int16Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(2 * index));
}

function levelOf(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / Math.max(1, samples.length));
}
