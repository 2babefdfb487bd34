import { energyOf } from './audio/energy.ts';
import { PlayoutDrift } from './drift.ts';
import { type AudioFormat, bytesPerMillisecondOf, silenceOf } from './format.ts';

/** What a frame that was read holds. */
export type FrameContent = 'audio' | 'silence';

// Below this a dropped frame is not noticed: the noise of a quiet line, not speech.
const quietEnergy = 200;

/**
 * The queue between what is to be said and the frames on the wire: any lengths in, one frame out
 * with each tick, silence when there is nothing. Pure: a tick is its only clock.
 */
export class Playout {
  #format: AudioFormat;
  #ptime: number;
  readonly #drift: PlayoutDrift;
  #frameBytes: number;
  /** Chunks not wholly played; those before `#head` are done with. */
  #chunks: (Buffer | undefined)[] = [];
  #head = 0;
  /** Bytes of the first chunk that were played. */
  #offset = 0;
  #queued = 0;
  #played = 0;
  /** A tail shorter than a frame waits one tick for what may follow it. */
  #isTailWaiting = false;

  constructor(format: AudioFormat, ptime: number) {
    this.#format = format;
    this.#ptime = ptime;
    this.#frameBytes = ptime * bytesPerMillisecondOf(format);
    this.#drift = new PlayoutDrift(ptime, bytesPerMillisecondOf(format));
  }

  get queuedBytes(): number {
    return this.#queued;
  }

  get playedBytes(): number {
    return this.#played;
  }

  /** Frames left out to win back delay. */
  get droppedFrames(): number {
    return this.#drift.dropped;
  }

  get #waiting(): number {
    return this.#queued - this.#played;
  }

  /** To be set before anything is queued. */
  set format(format: AudioFormat) {
    if (format === this.#format) return;
    this.#format = format;
    this.#resize();
  }

  /** Length of the frames to come. */
  set ptime(ptime: number) {
    this.#ptime = ptime;
    this.#resize();
  }

  /** Keeps the buffer; it must not change any more. */
  push(audio: Buffer): void {
    if (audio.length === 0) return;
    this.#chunks.push(audio);
    this.#queued += audio.length;
    this.#isTailWaiting = false;
    this.#drift.pushed(audio.length);
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#offset = 0;
    this.#queued = this.#played;
    this.#isTailWaiting = false;
    this.#drift.cleared();
  }

  /** Fills one frame of `ptime` at `start`. */
  read(target: Buffer, start: number): FrameContent {
    this.#dropIfLate();
    const size = this.#frameBytes;
    const count = Math.min(size, this.#waiting);
    if (count === 0 || (count < size && !this.#isTailWaiting)) {
      this.#isTailWaiting = count > 0;
      target.fill(silenceOf(this.#format), start, start + size);
      this.#drift.ticked('silence', this.#waiting);
      return 'silence';
    }
    this.#take(count, { target, start });
    target.fill(silenceOf(this.#format), start + count, start + size);
    this.#isTailWaiting = false;
    this.#drift.ticked('audio', this.#waiting);
    return 'audio';
  }

  /** Frames whose time passed without one being sent: what is queued is now later by as much. */
  skipped(frames: number): void {
    this.#drift.skipped(frames);
  }

  #resize(): void {
    const bytesPerMillisecond = bytesPerMillisecondOf(this.#format);
    this.#frameBytes = this.#ptime * bytesPerMillisecond;
    this.#drift.reset(this.#ptime, bytesPerMillisecond);
  }

  #dropIfLate(): void {
    const urgency = this.#drift.wanted(this.#waiting);
    if (urgency === 'none') return;
    if (urgency === 'if-quiet' && !this.#isNextQuiet()) return;
    const frames = urgency === 'now' ? this.#drift.share : 1;
    this.#take(frames * this.#frameBytes, undefined);
    this.#drift.leftOut(frames);
  }

  /** Judged by the chunk at the head: chunks are at most a few frames when frames are dropped. */
  #isNextQuiet(): boolean {
    const chunk = this.#chunks[this.#head];
    if (!chunk) return false;
    const frame = chunk.subarray(this.#offset, this.#offset + this.#frameBytes);
    return energyOf(this.#format, frame) < quietEnergy;
  }

  #take(count: number, to: { readonly target: Buffer; readonly start: number } | undefined): void {
    let done = 0;
    while (done < count) {
      const chunk = this.#chunks[this.#head];
      if (!chunk) break;
      const size = Math.min(count - done, chunk.length - this.#offset);
      if (to) chunk.copy(to.target, to.start + done, this.#offset, this.#offset + size);
      done += size;
      this.#offset += size;
      if (this.#offset === chunk.length) this.#next();
    }
    this.#played += done;
  }

  #next(): void {
    this.#chunks[this.#head] = undefined;
    this.#head += 1;
    this.#offset = 0;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head >= 256) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
