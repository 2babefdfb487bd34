/** Samples of a frame: 32 ms at 8000 Hz. */
export const frameSamples = 256;
/** ms. */
export const frameLength = frameSamples / 8;

/** Above it speech begins, below the other it pauses (the hysteresis Silero's authors use). */
const beginThreshold = 0.5;
const pauseThreshold = 0.35;
/** Audio from before the beginning: soft consonants come before a voice is found, 90 ms at most. */
const leadFrames = 10;
/** Silence kept at the end. */
const tailFrames = 7;
/** An utterance is cut off here: nobody says a phrase for so long, and decoding it takes 0.5 s. */
const maxFrames = 470;

export type Segment =
  | { readonly type: 'started' }
  /** Half of the silence has passed: what came so far, in case that no more comes. */
  | { readonly type: 'paused'; readonly samples: Int16Array }
  /**
   * `samples`: the utterance with a little silence around it; `trimmed` samples came after them.
   * `isAsPaused`: nothing was said since `paused`.
   */
  | {
      readonly type: 'stopped';
      readonly samples: Int16Array;
      readonly trimmed: number;
      readonly isAsPaused: boolean;
    };

/** Cuts a stream of frames into utterances by the probability of speech in each frame. */
export class Segmenter {
  readonly #endFrames: number;
  readonly #pauseFrames: number;
  #frames: Int16Array[] = [];
  #isSpeaking = false;
  #silentFrames = 0;

  /** `endSilence` (ms) without speech ends an utterance. */
  constructor(endSilence: number) {
    this.#endFrames = Math.max(1, Math.round(endSilence / frameLength));
    this.#pauseFrames = Math.floor(this.#endFrames / 2);
  }

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  push(frame: Int16Array, probability: number): Segment | undefined {
    this.#frames.push(frame);
    if (this.#isSpeaking) return this.#speaking(probability);
    if (this.#frames.length > leadFrames) this.#frames.shift();
    if (probability < beginThreshold) return undefined;
    this.#isSpeaking = true;
    this.#silentFrames = 0;
    return { type: 'started' };
  }

  /** The stream has stopped in the middle of an utterance. */
  end(): Segment | undefined {
    return this.#isSpeaking ? this.#stop() : undefined;
  }

  #speaking(probability: number): Segment | undefined {
    this.#silentFrames = probability < pauseThreshold ? this.#silentFrames + 1 : 0;
    const isOver = this.#silentFrames >= this.#endFrames || this.#frames.length >= maxFrames;
    if (isOver) return this.#stop();
    const isPaused = this.#silentFrames > 0 && this.#silentFrames === this.#pauseFrames;
    return isPaused ? { type: 'paused', samples: joined(this.#frames) } : undefined;
  }

  #stop(): Segment {
    const isAsPaused = this.#pauseFrames > 0 && this.#silentFrames >= this.#pauseFrames;
    const surplus = Math.max(0, this.#silentFrames - tailFrames);
    const samples = joined(this.#frames.slice(0, this.#frames.length - surplus));
    this.#frames = this.#frames.slice(-leadFrames);
    this.#isSpeaking = false;
    this.#silentFrames = 0;
    return { type: 'stopped', samples, trimmed: surplus * frameSamples, isAsPaused };
  }
}

export function joined(pieces: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
