import { CallerAudio } from '../conversation/caller-audio.ts';
import type { AudioFormat } from '../media/format.ts';
import type { LineListener } from '../media/line.ts';

/** More keys than anybody presses in that time. */
const digitsKept = 32;

/**
 * What the caller says and keys between our 200 and his ACK: it waits, and is handed over in order, of
 * the audio the last 10 s. An ACK that is lost comes again half a second later or more.
 */
export class EarlyCaller implements LineListener {
  readonly #audio = new CallerAudio();
  readonly #digits: { readonly digit: string; readonly duration: number }[] = [];

  constructor(format: AudioFormat) {
    this.#audio.format = format;
  }

  onAudio(audio: Buffer): void {
    this.#audio.append(audio);
  }

  onDigit(digit: string, duration: number): void {
    if (this.#digits.length < digitsKept) this.#digits.push({ digit, duration });
  }

  onPlayed(): void {
    // Nothing is played before the ACK.
  }

  handOver(listener: LineListener): void {
    this.#audio.connect((audio) => listener.onAudio(audio));
    for (const { digit, duration } of this.#digits.splice(0)) listener.onDigit(digit, duration);
  }
}
