import type { Clock, Timer } from '../../base/clock.ts';

const head = '{"type":"input_audio_buffer.append","audio":"';
// A stream that pauses in the middle of a piece: its rest waits no longer than one packet more.
const grace = 20;

export interface AudioAppendsParts {
  readonly clock: Clock;
  /** ms of audio in each event; less only when the stream pauses or `flush` asks for it. */
  readonly length: number;
  readonly bytesPerMs: number;
  /** The event's text in UTF-8. */
  readonly send: (event: Buffer) => void;
}

/** Makes the caller's audio, which comes in packets, into events of a length. */
export class AudioAppends {
  readonly #parts: AudioAppendsParts;
  readonly #lengthBytes: number;
  #pieces: Buffer[] = [];
  #waitingBytes = 0;
  #timer: Timer | undefined;

  constructor(parts: AudioAppendsParts) {
    this.#parts = parts;
    this.#lengthBytes = parts.length * parts.bytesPerMs;
  }

  /** Keeps the buffer; it must not change any more. */
  add(audio: Buffer): void {
    if (this.#waitingBytes === 0 && audio.length >= this.#lengthBytes) {
      this.#parts.send(eventOf(audio));
      return;
    }
    this.#pieces.push(audio);
    this.#waitingBytes += audio.length;
    if (this.#waitingBytes >= this.#lengthBytes) this.flush();
    else this.#timer ??= this.#parts.clock.after(this.#parts.length + grace, () => this.flush());
  }

  /** Sends what waits, however little it is. */
  flush(): void {
    const audio = Buffer.concat(this.#pieces);
    this.drop();
    if (audio.length > 0) this.#parts.send(eventOf(audio));
  }

  drop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pieces = [];
    this.#waitingBytes = 0;
  }
}

// Built by hand, and as bytes, which the WebSocket sends in one write with its header: this runs up to
// 50 times a second for each call.
function eventOf(audio: Buffer): Buffer {
  return Buffer.from(`${head}${audio.toString('base64')}"}`, 'latin1');
}
