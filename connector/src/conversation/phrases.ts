import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { toFormat } from '../media/audio/pcm.ts';
import { type AudioFormat, sampleRateOf } from '../media/format.ts';

/** Offline text to speech in the line's format, for when no provider can speak. The maker caches. */
export type Speaker = (text: string, format: AudioFormat) => Promise<Buffer>;

export const waitingPhrase = 'One moment, please.';
export const maxDurationPhrase = 'This call has reached its time limit. Goodbye.';

/** The speaker's cache should answer at once; a caller in silence does not wait longer. */
const speakTimeout = 1500;

/** A quarter of full scale: as loud as speech. */
const toneAmplitude = 8000;
/** 425 Hz, ITU-T E.180. */
const toneHz = 425;

/** Speaks phrases of our own; what is still being spoken at `stop` is never heard of again. */
export class Phrases {
  readonly #speaker: Speaker | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timers = new Set<Timer>();
  #isStopped = false;

  constructor(of: { speaker: Speaker | undefined; clock: Clock; log: Log }) {
    this.#speaker = of.speaker;
    this.#clock = of.clock;
    this.#log = of.log;
  }

  /** Calls back once with audio of the format, or undefined without a speaker or when it fails or dawdles. */
  speak(text: string, format: AudioFormat, onSpoken: (audio: Buffer | undefined) => void): void {
    const speaker = this.#speaker;
    if (!speaker) {
      onSpoken(undefined);
      return;
    }
    const settle = (audio: Buffer | undefined): void => {
      timer.cancel();
      if (this.#timers.delete(timer) && !this.#isStopped) onSpoken(audio);
    };
    const timer = this.#clock.after(speakTimeout, () => settle(undefined));
    this.#timers.add(timer);
    const spoken = async (): Promise<Buffer> => speaker(text, format);
    spoken().then(settle, (error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'a phrase could not be synthesised');
      settle(undefined);
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

/** `beeps` beeps of 250 ms, each followed by as much silence: what a caller knows as "not available". */
export function tone(format: AudioFormat, beeps: number): Buffer {
  const sampleRateHz = sampleRateOf(format);
  const half = sampleRateHz / 4;
  const samples = new Int16Array(beeps * 2 * half);
  for (let beep = 0; beep < beeps; beep++) {
    for (let i = 0; i < half; i++) {
      const phase = (2 * Math.PI * toneHz * i) / sampleRateHz;
      samples[beep * 2 * half + i] = Math.round(toneAmplitude * Math.sin(phase));
    }
  }
  return toFormat(format, samples);
}
