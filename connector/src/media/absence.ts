/**
 * Tells when a stream has stopped: DTX, comfort noise, keys in place of audio, an outage. Who listens for
 * the end of the caller's words (a server VAD) hears no end while nothing at all comes.
 */

// Audio is late by no more than this (ms), or absent: more than a gap is waited for and the usual jitter.
const patience = 60;

export class Absence {
  #dueAt = Number.POSITIVE_INFINITY;

  /** Audio of `duration` ms came: the next is due when it is over. */
  heard(now: number, duration: number): void {
    this.#dueAt = now + duration + patience;
  }

  /** Whether a frame of silence is to stand in at `now`; never before the first audio. */
  isAbsent(now: number): boolean {
    return now >= this.#dueAt;
  }
}
