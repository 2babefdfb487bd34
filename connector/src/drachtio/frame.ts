/** A SIP message of 64 KiB head and 64 KiB body fits. The reference stops at 12 KiB. */
export const largestFrameBytes = 128 * 1024;

const hash = 0x23;
const zero = 0x30;
const nine = 0x39;

/** `<decimal length>#<payload>`; the length counts bytes. */
export function encodeFrame(payload: Buffer | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  return Buffer.concat([Buffer.from(`${bytes.length}#`, 'latin1'), bytes]);
}

/** A first line and the SIP message behind it, as one frame. */
export function encodeMessageFrame(line: string, message: Buffer): Buffer {
  const head = `${line}\r\n`;
  const length = Buffer.byteLength(head) + message.length;
  return Buffer.concat([Buffer.from(`${length}#${head}`, 'utf8'), message]);
}

/** Takes frames out of a byte stream, however TCP has cut it. */
export class FrameReader {
  #limitBytes: number;
  #length = 0;
  #digitCount = 0;
  #payload: Buffer | undefined;
  #filled = 0;
  #isBroken = false;

  constructor(limitBytes = largestFrameBytes) {
    this.#limitBytes = limitBytes;
  }

  /** True once something other than a frame, or a too long one, was read; nothing more will come. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** From now on frames may have up to that many bytes. */
  allow(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  /** Payloads in order as they complete. Reading may be stopped between two of them. */
  *read(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < chunk.length && !this.#isBroken) {
      if (this.#payload === undefined) {
        at = this.#readLength(chunk, at);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#payload.length - this.#filled);
      chunk.copy(this.#payload, this.#filled, at, end);
      this.#filled += end - at;
      at = end;
      if (this.#filled === this.#payload.length) yield this.#take(this.#payload);
    }
  }

  #take(payload: Buffer): Buffer {
    this.#payload = undefined;
    this.#filled = 0;
    return payload;
  }

  /** Reads one byte in front of a payload; returns the index behind it. */
  #readLength(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    if (byte === hash && this.#length > 0) {
      this.#payload = Buffer.allocUnsafe(this.#length);
      this.#length = 0;
      this.#digitCount = 0;
    } else if (byte >= zero && byte <= nine) {
      this.#length = this.#length * 10 + byte - zero;
      this.#digitCount++;
      this.#isBroken = this.#length > this.#limitBytes || this.#digitCount > 6;
    } else {
      this.#isBroken = true;
    }
    return at + 1;
  }
}
