import { convert } from '../audio/g711.ts';
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
  /** Of the wire; that of the queue is given apart. */
  readonly law: Law;
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
  #format: SendFormat = { payloadType: 0, ptime: 20, law: 'pcmu' };
  #queueLaw: Law = 'pcmu';
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
  /** The payload of the last frame, in the queue's law until it was sent. */
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

  /** Payload bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  configure(format: SendFormat, queueLaw: Law): void {
    this.#format = format;
    this.#queueLaw = queueLaw;
    this.#slots = Array.from({ length: ringSize }, () => {
      const packet = Buffer.alloc(rtpHeaderBytes + format.ptime * 8);
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
    if (this.#format.law !== this.#queueLaw) convert(this.#queueLaw, slot.payload);
    this.#socket.send(slot.packet, target);
    this.#packets += 1;
    this.#sizeBytes += slot.payload.length;
    return content === 'audio' && this.#playout.queuedBytes === this.#playout.playedBytes;
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
    this.#timestamp = (this.#timestamp + frames * this.#format.ptime * 8) % maxTimestamp;
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

  #writeHeader(packet: Buffer, hasMarker: boolean): void {
    writeRtpHeader(packet, {
      payloadType: this.#format.payloadType,
      hasMarker,
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
    });
    this.#sequence = (this.#sequence + 1) % maxSequence;
    this.#timestamp = (this.#timestamp + this.#format.ptime * 8) % maxTimestamp;
  }
}
