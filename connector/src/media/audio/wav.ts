import { type FileHandle, open } from 'node:fs/promises';

/** Writes a WAV file as it grows; audio paths never wait for the disk nor see its errors. */

export interface WavFormat {
  readonly channels: number;
  readonly sampleRateHz: number;
}

export const wavHeaderBytes = 44;
// Half a minute of stereo at 8 kHz: a disk that is further behind has failed.
const maxBacklogBytes = 1_000_000;
const maxDataBytes = 0xffff_ffff - wavHeaderBytes;

// What people said on the telephone is not for every user of the machine.
const fileMode = 0o640;

/** RIFF header of 16 bit PCM for so many bytes of samples. */
export function wavHeader(format: WavFormat, dataBytes: number): Buffer {
  const header = Buffer.alloc(wavHeaderBytes);
  const frameBytes = format.channels * 2;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(wavHeaderBytes - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(format.channels, 22);
  header.writeUInt32LE(format.sampleRateHz, 24);
  header.writeUInt32LE(format.sampleRateHz * frameBytes, 28);
  header.writeUInt16LE(frameBytes, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

export class WavFile {
  readonly #format: WavFormat;
  readonly #onError: (error: unknown) => void;
  #queue: Buffer[] = [];
  #backlogBytes = 0;
  #dataBytes = 0;
  #state: 'open' | 'failed' | 'closing' = 'open';
  #work: Promise<void>;
  #file: FileHandle | undefined;
  #isPumping = true;

  /** Creates the file or empties it. `onError` is called at most once; nothing is written after it. */
  constructor(path: string, format: WavFormat, onError: (error: unknown) => void) {
    this.#format = format;
    this.#onError = onError;
    this.#work = this.#open(path);
  }

  /** Takes 16 bit little-endian samples, channels interleaved; the buffer must not change any more. */
  write(samples: Buffer): void {
    if (this.#state !== 'open') return;
    this.#queue.push(samples);
    this.#backlogBytes += samples.length;
    if (this.#backlogBytes > maxBacklogBytes) this.#fail(new Error('the disk is too slow'));
    else if (!this.#isPumping) this.#work = this.#pump();
  }

  /** Resolves when all is written and the file closed, or it has failed. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    await this.#work;
    await this.#release();
  }

  async #open(path: string): Promise<void> {
    try {
      this.#file = await open(path, 'w', fileMode);
      await this.#file.write(wavHeader(this.#format, 0), 0, wavHeaderBytes, 0);
    } catch (error) {
      this.#fail(error);
    }
    await this.#pump();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#queue.length > 0 && this.#file) await this.#flush(this.#file);
    } catch (error) {
      this.#fail(error);
    }
    this.#isPumping = false;
    if (this.#state === 'failed') await this.#release();
  }

  /** Closes the file; of a recording that failed the end that no header counts is cut off. */
  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (this.#state === 'failed') await file?.truncate(wavHeaderBytes + this.#dataBytes);
    } catch {
      // The disk is no good: players believe the header.
    }
    try {
      await file?.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes what is queued and then the header, so that a file cut short is whole up to here. */
  async #flush(file: FileHandle): Promise<void> {
    const data = Buffer.concat(this.#queue);
    this.#queue = [];
    if (this.#dataBytes + data.length > maxDataBytes) throw new Error('the file is full');
    await writeAll(file, data, wavHeaderBytes + this.#dataBytes);
    this.#dataBytes += data.length;
    this.#backlogBytes -= data.length;
    await writeAll(file, wavHeader(this.#format, this.#dataBytes), 0);
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed') return;
    this.#state = 'failed';
    this.#queue = [];
    this.#onError(error);
  }
}

// A write may be short, as when the disk fills up; the rest then fails with the reason.
async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}
