/**
 * Tells when a stream has stopped: DTX, comfort noise, keys in place of audio, an outage. Who listens for
 * the end of the caller's words (a server VAD) hears no end while nothing at all comes.
 */

// Audio may be late by so much (ms) and still come: what stands in before it is time that the listener
// hears twice.
const patience = 200;

export class Absence {
  #dueAt = Number.POSITIVE_INFINITY;

  /** Audio of `duration` ms came: the next is due when it is over. */
  heard(now: number, duration: number): void {
    this.#dueAt = now + duration + patience;
  }

  /** We were the ones who stood still: what came meanwhile is still to be read. */
  stalled(now: number): void {
    if (this.#dueAt < now + patience) this.#dueAt = now + patience;
  }

  /** Whether a frame of silence is to stand in at `now`; never before the first audio. */
  isAbsent(now: number): boolean {
    return now >= this.#dueAt;
  }
}
