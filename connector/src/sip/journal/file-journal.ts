import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { encodeRecord, fileHead, readJournal } from './framing.ts';
import type { Journal } from './journal.ts';

/** Below that a snapshot is not worth its writing. */
const smallestSnapshotBytes = 4 * 1024 * 1024;
/** The file is written anew when it is so many times larger than what is alive. */
const mostGarbage = 4;
/**
 * Changes that go by after a failed write before the next attempt at a whole new file; as many as it has
 * records where those are more, so that a full disk does not have them all written for each few changes.
 */
const retryAfterChanges = 256;

export interface JournalStats {
  /** Writes that failed; the state on disk was older than the real one until the next snapshot. */
  readonly failures: number;
  readonly bytes: number;
  readonly keys: number;
}

/**
 * A journal in a folder that is memory-backed: writes are system calls of microseconds and are done at
 * once, so that whatever a peer has seen is on record. A full disk costs the survival, never a call.
 */
export class FileJournal implements Journal {
  readonly found: ReadonlyMap<string, unknown>;
  readonly #path: string;
  readonly #log: Log;
  /** What is alive, encoded, for the next snapshot. */
  readonly #live = new Map<string, Buffer>();
  #liveBytes = 0;
  #fileBytes = 0;
  #file: number | undefined;
  #failures = 0;
  /** Changes since a write failed; undefined while all are on disk. */
  #missed: number | undefined;

  private constructor(path: string, log: Log, found: ReadonlyMap<string, unknown>) {
    this.#path = path;
    this.#log = log;
    this.found = found;
    for (const [key, value] of found) this.#keep(key, encodeRecord(key, value));
    this.#snapshot();
  }

  /**
   * Opens the journal in a folder, which is made. One that cannot be read is moved aside with a log
   * line. Throws when the folder cannot be used.
   */
  static open(folder: string, log: Log): FileJournal {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'journal');
    const bytes = contentOf(path);
    const reading = readJournal(bytes);
    if (reading.kind === 'journal') {
      const torn = bytes.length - reading.goodBytes;
      if (torn > 0) log.warn({ torn }, 'the end of the journal is torn and does not count');
      return new FileJournal(path, log, reading.values);
    }
    const aside = `${path}.refused`;
    renameSync(path, aside);
    log.error(
      { aside, problem: reading.problem },
      'journal refused and moved aside: no call is back',
    );
    return new FileJournal(path, log, new Map());
  }

  get stats(): JournalStats {
    return { failures: this.#failures, bytes: this.#fileBytes, keys: this.#live.size };
  }

  put(key: string, value: unknown): void {
    const record = encodeRecord(key, value);
    this.#keep(key, record);
    this.#write(record);
  }

  remove(key: string): void {
    const known = this.#live.get(key);
    if (!known) return;
    this.#liveBytes -= known.length;
    this.#live.delete(key);
    this.#write(encodeRecord(key));
  }

  /** What was written stays. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #keep(key: string, record: Buffer): void {
    this.#liveBytes += record.length - (this.#live.get(key)?.length ?? 0);
    this.#live.set(key, record);
  }

  #write(record: Buffer): void {
    if (this.#file === undefined) return;
    if (this.#missed !== undefined) {
      this.#missed += 1;
      if (this.#missed >= Math.max(retryAfterChanges, this.#live.size)) this.#snapshot();
      return;
    }
    try {
      writeWhole(this.#file, record);
      this.#fileBytes += record.length;
    } catch (error) {
      this.#onFailure(error);
      return;
    }
    const limit = Math.max(smallestSnapshotBytes, mostGarbage * this.#liveBytes);
    if (this.#fileBytes > limit) this.#snapshot();
  }

  /** A half-written record would hide all that come after it. */
  #onFailure(error: unknown): void {
    this.#failures += 1;
    if (this.#missed === undefined) {
      this.#log.error(
        { error: messageOf(error) },
        'journal cannot be written; calls go on without',
      );
    }
    this.#missed = 0;
    try {
      if (this.#file !== undefined) ftruncateSync(this.#file, this.#fileBytes);
    } catch {
      // The reader stops at the torn record.
    }
  }

  /** Writes what is alive to a new file, which takes the place of the old one in one step. */
  #snapshot(): void {
    const next = `${this.#path}.next`;
    try {
      const file = openSync(next, 'w', 0o600);
      try {
        writeWhole(file, Buffer.concat([fileHead(), ...this.#live.values()]));
        renameSync(next, this.#path);
      } catch (error) {
        closeSync(file);
        // Half a file would take the room that the next attempt needs.
        rmSync(next, { force: true });
        throw error;
      }
      if (this.#file !== undefined) closeSync(this.#file);
      this.#file = file;
      this.#fileBytes = fileHead().length + this.#liveBytes;
      if (this.#missed !== undefined) this.#log.info({}, 'journal is written again');
      this.#missed = undefined;
    } catch (error) {
      // At the start there is no file yet, and a folder that cannot be written is told at once.
      if (this.#file === undefined) throw error;
      this.#onFailure(error);
    }
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(file, bytes, at);
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return Buffer.alloc(0);
    throw error;
  }
}
