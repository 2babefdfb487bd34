/**
 * When a playout queue must leave a frame out, so that a hiccup adds no delay for good.
 *
 * A piece that comes after its tick finds silence sent in its place; one piece in, one out, and the
 * queue stays that much longer for ever. What a stream may win back is what it lost so: the silence
 * put into it, and the time that passed without frames. A queue that is long because its audio came
 * faster than real time was never late and is left alone.
 */

const windowTime = 200;
// Larger pieces are a model's deltas; pieces of a paced stream are a few frames at most.
const maxPacedPiece = 60;
const minPacedShare = 0.6;
const maxPacedShare = 1.6;
// A pause of this length is the end of a stream: what follows starts anew.
const streamPause = 1000;
// The sender's clock is faster than ours: standing delay without a hiccup is won back slowly.
const standingTime = 5000;
// A short gap so soon after a frame was left out shows that the delay was needed against jitter.
const regretTime = 10_000;
const maxNeedFrames = 3;
// More delay than this is cut in one piece: one break is less disturbing than many in a row.
const maxGradual = 100;
// Without a gap for so long a frame of the need is tried without. Each time that this was wrong the next
// trial waits twice as long, so that a stream at the edge of its tick does not lose a frame for ever again.
const needDecayTime = 10_000;
const maxNeedDecayTime = 320_000;

export type DropUrgency = 'none' | 'if-quiet' | 'now';

export class PlayoutDrift {
  #ptime: number;
  #bytesPerMillisecond: number;
  dropped = 0;
  /** Frames the stream is late by: silence sent within it. */
  #owed = 0;
  /** Silent frames since the last audio; they become owed when the stream goes on soon. */
  #gap = 0;
  #isStreaming = false;
  #urgency: DropUrgency = 'none';
  /** Frames to leave in the queue against jitter. */
  #need = 0;
  #needDecayTime = needDecayTime;
  #sinceDrop = Number.POSITIVE_INFINITY;
  #sinceSilence = 0;
  #standing = 0;
  /** Frames that were in the queue throughout the last window and not needed. */
  #spare = 0;
  // The window in progress.
  #windowTicks = 0;
  #windowBytes = 0;
  #windowMinimum = Number.POSITIVE_INFINITY;
  #windowMaxPiece = 0;
  #wasPaced = false;

  constructor(ptime: number, bytesPerMillisecond = 8) {
    this.#ptime = ptime;
    this.#bytesPerMillisecond = bytesPerMillisecond;
  }

  reset(ptime: number, bytesPerMillisecond = this.#bytesPerMillisecond): void {
    this.#ptime = ptime;
    this.#bytesPerMillisecond = bytesPerMillisecond;
    this.cleared();
    this.#openWindow();
  }

  pushed(sizeBytes: number): void {
    if (this.#isStreaming && this.#gap > 0) this.#gapEnded();
    this.#gap = 0;
    this.#isStreaming = true;
    this.#windowBytes += sizeBytes;
    this.#windowMaxPiece = Math.max(this.#windowMaxPiece, sizeBytes);
  }

  /** The queue was emptied on purpose: nothing in it is late. */
  cleared(): void {
    this.#isStreaming = false;
    this.#owed = 0;
    this.#gap = 0;
    this.#urgency = 'none';
    this.#standing = 0;
  }

  skipped(frames: number): void {
    if (this.#isStreaming) this.#owed += frames;
  }

  /** After each frame: what it held and the bytes left in the queue. */
  ticked(content: 'audio' | 'silence', waitingBytes: number): void {
    this.#sinceDrop += this.#ptime;
    this.#sinceSilence += this.#ptime;
    if (content === 'silence') this.#noteSilence();
    this.#windowMinimum = Math.min(this.#windowMinimum, waitingBytes);
    this.#windowTicks += 1;
    if (this.#windowTicks * this.#ptime >= windowTime) this.#closeWindow();
  }

  /** Whether the next frame should be left out. */
  wanted(waitingBytes: number): DropUrgency {
    // One more must be there to be sent in its place.
    return waitingBytes >= this.#frameBytes * (2 + this.#need) ? this.#urgency : 'none';
  }

  /** How many to leave out then. */
  get share(): number {
    const tooLong = this.#spare - maxGradual / this.#ptime;
    return Math.max(1, Math.min(this.#owed, Math.floor(tooLong)));
  }

  leftOut(frames: number): void {
    this.dropped += frames;
    this.#owed = Math.max(0, this.#owed - frames);
    this.#standing = 0;
    this.#sinceDrop = 0;
    this.#spare -= frames;
    this.#urgency = this.#owed > 0 && this.#spare > 0 ? 'if-quiet' : 'none';
    this.#openWindow();
  }

  get #frameBytes(): number {
    return this.#ptime * this.#bytesPerMillisecond;
  }

  #noteSilence(): void {
    if (!this.#isStreaming) return;
    this.#gap += 1;
    if (this.#gap * this.#ptime > streamPause) {
      this.cleared();
      return;
    }
    if (this.#gap === 1) this.#sinceSilence = 0;
  }

  #gapEnded(): void {
    this.#owed += this.#gap;
    // A gap that is longer than any need was a stall: it says nothing about the frame left out.
    if (this.#sinceDrop >= regretTime || this.#gap > maxNeedFrames) return;
    this.#need = Math.min(maxNeedFrames, this.#need + 1);
    this.#needDecayTime = Math.min(maxNeedDecayTime, this.#needDecayTime * 2);
    // One regret for each frame left out.
    this.#sinceDrop = Number.POSITIVE_INFINITY;
  }

  #closeWindow(): void {
    const isPaced = this.#isWindowPaced();
    this.#spare = Math.floor(this.#windowMinimum / this.#frameBytes) - this.#need;
    const isLong = this.#spare > 0;
    if (this.#sinceSilence >= this.#needDecayTime && this.#need > 0) {
      this.#need -= 1;
      this.#sinceSilence = 0;
    }
    this.#standing = isPaced && isLong ? this.#standing + windowTime : 0;
    const isDue = this.#owed > 0 || this.#standing >= standingTime;
    if (!(isPaced && this.#wasPaced && isLong && isDue)) this.#urgency = 'none';
    else this.#urgency = this.#urgency === 'none' ? 'if-quiet' : 'now';
    this.#wasPaced = isPaced;
    this.#openWindow();
  }

  #isWindowPaced(): boolean {
    const share = this.#windowBytes / (this.#windowTicks * this.#frameBytes);
    const isSmall =
      this.#windowMaxPiece <= Math.max(maxPacedPiece * this.#bytesPerMillisecond, this.#frameBytes);
    return isSmall && share >= minPacedShare && share <= maxPacedShare;
  }

  #openWindow(): void {
    this.#windowTicks = 0;
    this.#windowBytes = 0;
    this.#windowMinimum = Number.POSITIVE_INFINITY;
    this.#windowMaxPiece = 0;
  }
}
