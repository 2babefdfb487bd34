import { type AudioFormat, bytesPerMillisecondOf } from '../media/format.ts';

/** ms kept while no session can take them. */
const capacity = 10_000;

/**
 * The caller's way to the session. Without a session his audio waits, the oldest dropped beyond 10 s,
 * and is handed over in order; while withheld it is dropped.
 */
export class CallerAudio {
  #sink: ((audio: Buffer) => void) | undefined;
  #isWithheld = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #capacityBytes = capacity * bytesPerMillisecondOf('pcmu');

  set format(format: AudioFormat) {
    this.#capacityBytes = capacity * bytesPerMillisecondOf(format);
  }

  /** The hot path. */
  append(audio: Buffer): void {
    if (this.#isWithheld) return;
    if (this.#sink) {
      this.#sink(audio);
      return;
    }
    this.#waiting.push(audio);
    this.#waitingBytes += audio.length;
    while (this.#waitingBytes > this.#capacityBytes)
      this.#waitingBytes -= this.#waiting.shift()?.length ?? 0;
  }

  connect(sink: (audio: Buffer) => void): void {
    this.#sink = sink;
    for (const audio of this.#waiting) sink(audio);
    this.#drop();
  }

  disconnect(): void {
    this.#sink = undefined;
  }

  /** On hold, in a transfer or after a goodbye nobody is to listen. */
  withhold(isWithheld: boolean): void {
    this.#isWithheld = isWithheld;
    if (isWithheld) this.#drop();
  }

  #drop(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
