import type { AudioFormat } from '../../src/media/format.ts';
import type { Line, LineListener } from '../../src/media/line.ts';

const frameBytes = 160;

/** A line that plays a frame of 20 ms at each `tick` and records what went out; 0xff is silence. */
export class FakeLine implements Line {
  readonly format: AudioFormat = 'pcmu';
  queuedBytes = 0;
  playedBytes = 0;
  /** One entry a tick, 160 bytes each. */
  readonly frames: Buffer[] = [];
  listener: LineListener | undefined;
  #queue = Buffer.alloc(0);

  play(audio: Buffer): void {
    this.#queue = Buffer.concat([this.#queue, audio]);
    this.queuedBytes += audio.length;
  }

  clear(): void {
    this.#queue = Buffer.alloc(0);
    this.queuedBytes = this.playedBytes;
  }

  tick(): void {
    const piece = this.#queue.subarray(0, frameBytes);
    this.#queue = this.#queue.subarray(frameBytes);
    this.frames.push(Buffer.concat([piece, Buffer.alloc(frameBytes - piece.length, 0xff)]));
    this.playedBytes += piece.length;
    if (piece.length > 0 && this.#queue.length === 0) this.listener?.onPlayed();
  }

  /** The distinct bytes that were played, silence left out. */
  get sounds(): number[] {
    return [...new Set(Buffer.concat(this.frames))].filter((byte) => byte !== 0xff);
  }
}
