import { type AudioFormat, bytesPerMillisecondOf } from '../media/format.ts';
import type { Line } from '../media/line.ts';
import type { Position } from './turn.ts';

/**
 * The agent's way to the caller's ear: a line, or before the answer a queue whose content goes to the
 * line at `attach`. Positions count from the first byte given to `play`, through both,
 * in eighths of a ms: bytes of G.711.
 */
export class Playout {
  #line: Line | undefined;
  /** Where the line stood at `attach`: what it had played for others does not count. */
  #offset = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes of an eighth of a ms, in which positions are counted. */
  #unitBytes = 1;

  /** To be set before anything is played. */
  set format(format: AudioFormat) {
    this.#unitBytes = bytesPerMillisecondOf(format) / 8;
  }

  get isAttached(): boolean {
    return this.#line !== undefined;
  }

  get position(): Position {
    if (!this.#line) return { queued: this.#waitingBytes / this.#unitBytes, played: 0 };
    return {
      queued: (this.#line.queuedBytes - this.#offset) / this.#unitBytes,
      played: (this.#line.playedBytes - this.#offset) / this.#unitBytes,
    };
  }

  /** Nothing is queued: the caller hears silence. Before the answer he hears nothing of ours anyway. */
  get isEmpty(): boolean {
    return this.#line ? this.#line.playedBytes >= this.#line.queuedBytes : this.#waitingBytes === 0;
  }

  attach(line: Line): void {
    this.#offset = line.queuedBytes;
    this.#line = line;
    for (const audio of this.#waiting) line.play(audio);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  play(audio: Buffer): void {
    if (this.#line) {
      this.#line.play(audio);
      return;
    }
    this.#waiting.push(audio);
    this.#waitingBytes += audio.length;
  }

  clear(): void {
    this.#line?.clear();
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
