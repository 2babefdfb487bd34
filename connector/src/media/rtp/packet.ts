/*
 * RTP fixed header (RFC 3550 §5.1):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                             SSRC                              |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |          CSRC (0 to 15), extension if X, payload, padding if P
 */

export const rtpHeaderBytes = 12;

/** Reads one packet after the other into its own fields: nothing is allocated for a packet. */
export class RtpReader {
  payloadType = 0;
  hasMarker = false;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  /** Where the payload is in the packet that was read. */
  payloadStart = 0;
  payloadEnd = 0;

  /** False, with the fields unusable, when the bytes are not a whole RTP packet. */
  read(packet: Buffer): boolean {
    if (packet.length < rtpHeaderBytes) return false;
    const first = packet.readUInt8(0);
    if (first >> 6 !== 2) return false;
    const second = packet.readUInt8(1);
    this.payloadType = second & 0x7f;
    this.hasMarker = second > 0x7f;
    this.sequence = packet.readUInt16BE(2);
    this.timestamp = packet.readUInt32BE(4);
    this.ssrc = packet.readUInt32BE(8);
    this.payloadStart = payloadStartOf(packet, first);
    this.payloadEnd = payloadEndOf(packet, first);
    return this.payloadStart <= this.payloadEnd;
  }
}

function payloadStartOf(packet: Buffer, first: number): number {
  const afterSources = rtpHeaderBytes + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return afterSources;
  // §5.3.1: two bytes by profile, then the length of the rest in words.
  if (packet.length < afterSources + 4) return Number.POSITIVE_INFINITY;
  return afterSources + 4 + packet.readUInt16BE(afterSources + 2) * 4;
}

function payloadEndOf(packet: Buffer, first: number): number {
  if ((first & 0x20) === 0) return packet.length;
  const padding = packet.readUInt8(packet.length - 1);
  // §5.1: the last byte counts itself, so 0 cannot be.
  return padding === 0 ? -1 : packet.length - padding;
}

export interface RtpHeader {
  readonly payloadType: number;
  readonly hasMarker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** Writes a header without CSRC, extension and padding to the first 12 bytes. */
export function writeRtpHeader(packet: Buffer, header: RtpHeader): void {
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8((header.hasMarker ? 0x80 : 0) | header.payloadType, 1);
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.ssrc, 8);
}

// RFC 5761 §4: on a shared port the second byte of RTCP is 192 to 223.
export function isRtcp(packet: Buffer): boolean {
  const second = packet[1] ?? 0;
  return second >= 192 && second <= 223;
}
