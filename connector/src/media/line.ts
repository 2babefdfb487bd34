import type { AudioFormat } from './format.ts';

/** What a call's audio delivers. `onAudio` is the hot path: called for each RTP packet. */
export interface LineListener {
  /**
   * Caller's audio in the line's format, in order, normally 20 ms a call; DTMF packets and
   * comfort noise never appear here. The buffer is the listener's to keep.
   */
  onAudio(audio: Buffer): void;
  /** One key press, once, whatever its retransmissions (RFC 4733) or by SIP INFO. */
  onDigit(digit: string, duration: number): void;
  /** The last queued byte was sent; not called for a `clear`. */
  onPlayed(): void;
}

/**
 * A call's audio as a conversation sees it: one direction in, one queue out. Positions are bytes of
 * the line's format since the start of the call; silence filled in between does not count.
 */
export interface Line {
  /** The same for the whole call, whatever codecs the wire changes to. */
  readonly format: AudioFormat;
  /** Bytes given to `play` so far. */
  readonly queuedBytes: number;
  /** Bytes of those that went out on the wire (or were dropped by drift correction). */
  readonly playedBytes: number;
  /** Queues audio of the line's format for playout. */
  play(audio: Buffer): void;
  /** Drops all that is queued, at once: the next frame on the wire is silence. `queuedBytes` falls back to `playedBytes`. */
  clear(): void;
}
