import type { FrameEncoder } from '../audio/codecs.ts';
import { convert } from '../audio/g711.ts';
import { type AudioFormat, bytesPerMillisecondOf, isLaw } from '../format.ts';
import type { Law } from '../law.ts';
import type { Playout } from '../playout.ts';
import type { Address } from '../sdp/description.ts';
import { rtpHeaderBytes, writeRtpHeader } from './packet.ts';
import type { SenderInfo } from './rtcp.ts';
import type { UdpSocket } from './socket.ts';

// A datagram that the system cannot take at once keeps its buffer; by then it is some frames old.
const ringSize = 8;
const maxSequence = 0x1_0000;
const maxTimestamp = 0x1_0000_0000;

export interface SendFormat {
  readonly payloadType: number;
  readonly ptime: number;
  /** Of the queue. */
  readonly format: AudioFormat;
  /** What the wire has: a law goes out as it is, or by table from the other law. */
  readonly wire: Law | FrameEncoder;
  /** Of the RTP clock. */
  readonly unitsPerMs: number;
}

interface Slot {
  readonly packet: Buffer;
  readonly payload: Buffer;
}

/** Makes the RTP stream of a call: one packet a frame, sequence and timestamps without a gap. */
export class RtpSender {
  readonly #socket: Pick<UdpSocket, 'send'>;
  readonly #playout: Playout;
  readonly ssrc: number;
  #format: SendFormat = {
    payloadType: 0,
    ptime: 20,
    format: 'pcmu',
    wire: 'pcmu',
    unitsPerMs: 8,
  };
  #sequence: number;
  #timestamp: number;
  #slots: readonly Slot[] = [];
  #at = 0;
  /** The next audio starts a talk spurt: silence, a pause or nothing was before it. */
  #isSpurt = true;
  /** RFC 4733 §2.2.1: all packets of a key press carry the time of its start. */
  #pressedAt = 0;
  #packets = 0;
  #sizeBytes = 0;
  /** The last frame, in the queue's format; good until it was sent. */
  onFrame: ((payload: Buffer) => void) | undefined;

  constructor(parts: {
    readonly socket: Pick<UdpSocket, 'send'>;
    readonly playout: Playout;
    readonly random: () => number;
  }) {
    this.#socket = parts.socket;
    this.#playout = parts.playout;
    // RFC 3550 §5.1: all three start at random.
    this.ssrc = Math.floor(parts.random() * maxTimestamp);
    this.#sequence = Math.floor(parts.random() * maxSequence);
    this.#timestamp = Math.floor(parts.random() * maxTimestamp);
  }

  get packets(): number {
    return this.#packets;
  }

  /** Of the RTP clock. */
  get unitsPerMs(): number {
    return this.#format.unitsPerMs;
  }

  /** Payload bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  configure(format: SendFormat): void {
    this.#format = format;
    this.#slots = Array.from({ length: ringSize }, () => {
      const packet = Buffer.alloc(
        rtpHeaderBytes + format.ptime * bytesPerMillisecondOf(format.format),
      );
      return { packet, payload: packet.subarray(rtpHeaderBytes) };
    });
    this.#at = 0;
  }

  /** Sends the next frame of the queue, or silence. True when it held the queue's last audio. */
  send(target: Address): boolean {
    const slot = this.#slots[this.#at];
    if (!slot) return false;
    this.#at = (this.#at + 1) % ringSize;
    const content = this.#playout.read(slot.payload, 0);
    this.onFrame?.(slot.payload);
    this.#writeHeader(slot.packet, content === 'audio' && this.#isSpurt);
    this.#isSpurt = content === 'silence';
    const packet = this.#packetOf(slot);
    this.#socket.send(packet, target);
    this.#packets += 1;
    this.#sizeBytes += packet.length - rtpHeaderBytes;
    return content === 'audio' && this.#playout.queuedBytes === this.#playout.playedBytes;
  }

  #packetOf(slot: Slot): Buffer {
    const { format, wire } = this.#format;
    if (typeof wire !== 'string')
      return Buffer.concat([slot.packet.subarray(0, rtpHeaderBytes), wire.encode(slot.payload)]);
    if (isLaw(format) && wire !== format) convert(format, slot.payload);
    return slot.packet;
  }

  /** A frame of a key press in place of audio, which waits. */
  sendEvent(
    target: Address,
    event: { readonly payloadType: number; readonly payload: Buffer; readonly isFirst: boolean },
  ): void {
    const { payloadType, payload, isFirst } = event;
    if (isFirst) this.#pressedAt = this.#timestamp;
    const header = Buffer.alloc(rtpHeaderBytes);
    writeRtpHeader(header, {
      payloadType,
      hasMarker: isFirst,
      sequence: this.#sequence,
      timestamp: this.#pressedAt,
      ssrc: this.ssrc,
    });
    this.#sequence = (this.#sequence + 1) % maxSequence;
    this.#socket.send(Buffer.concat([header, payload]), target);
    this.#packets += 1;
    this.#sizeBytes += payload.length;
    this.pass(1);
  }

  /** Time passes without packets (hold, or too late to send). */
  pass(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * this.#step) % maxTimestamp;
    this.#isSpurt = true;
  }

  /** For a sender report at this wall clock. */
  info(wall: number): SenderInfo {
    return {
      wall,
      timestamp: this.#timestamp,
      packets: this.#packets,
      sizeBytes: this.#sizeBytes,
    };
  }

  /** Of the timestamp, with each frame. */
  get #step(): number {
    return this.#format.ptime * this.#format.unitsPerMs;
  }

  #writeHeader(packet: Buffer, hasMarker: boolean): void {
    writeRtpHeader(packet, {
      payloadType: this.#format.payloadType,
      hasMarker,
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
    });
    this.#sequence = (this.#sequence + 1) % maxSequence;
    this.#timestamp = (this.#timestamp + this.#step) % maxTimestamp;
  }
}
