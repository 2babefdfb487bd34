import type { ReceptionReport } from './statistics.ts';

/**
 * RTCP compound packets (RFC 3550 §6): reports of one sender about one source, SDES with a CNAME, BYE.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|  count  |      type     |      words of the rest        |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

const types = { senderReport: 200, receiverReport: 201, description: 202, bye: 203 } as const;
const blockBytes = 24;
const secondsFrom1900To1970 = 2_208_988_800;

/** What a sender report says about our own stream (§6.4.1). */
export interface SenderInfo {
  /** Wall clock, ms since 1970. */
  readonly wall: number;
  readonly timestamp: number;
  readonly packets: number;
  /** Payload only. */
  readonly sizeBytes: number;
}

export interface ReportBlock extends ReceptionReport {
  readonly ssrc: number;
  /** Middle 32 bits of the NTP time of the last report received; 0 when none. */
  readonly lastReport: number;
  /** Since then, in 1/65536 s. */
  readonly delay: number;
}

export interface Report {
  readonly ssrc: number;
  readonly cname: string;
  /** Undefined: nothing was sent since the last two reports, an RR says so. */
  readonly sender: SenderInfo | undefined;
  readonly block: ReportBlock | undefined;
  readonly isBye: boolean;
}

/** What we take from a compound packet. */
export interface ReceivedReport {
  readonly ssrc: number;
  /** Middle 32 bits of the NTP time of a sender report; undefined for an RR. */
  readonly ntp: number | undefined;
  readonly blocks: readonly ReportBlock[];
  readonly hasBye: boolean;
}

export function buildReport(report: Report): Buffer {
  const parts = [reportPart(report), descriptionPart(report)];
  if (report.isBye) parts.push(byePart(report.ssrc));
  return Buffer.concat(parts);
}

function reportPart({ ssrc, sender, block }: Report): Buffer {
  const start = sender ? 28 : 8;
  const part = Buffer.alloc(start + (block ? blockBytes : 0));
  const type = sender ? types.senderReport : types.receiverReport;
  writeHead(part, { type, count: block ? 1 : 0 });
  part.writeUInt32BE(ssrc, 4);
  if (sender) writeSender(part, sender);
  if (block) writeBlock(part, start, block);
  return part;
}

function writeHead(part: Buffer, head: { readonly type: number; readonly count: number }): void {
  part.writeUInt8(0x80 | head.count, 0);
  part.writeUInt8(head.type, 1);
  part.writeUInt16BE(part.length / 4 - 1, 2);
}

function writeSender(part: Buffer, sender: SenderInfo): void {
  const seconds = Math.floor(sender.wall / 1000);
  const fraction = (sender.wall - seconds * 1000) / 1000;
  part.writeUInt32BE((seconds + secondsFrom1900To1970) >>> 0, 8);
  part.writeUInt32BE(Math.floor(fraction * 0x1_0000_0000), 12);
  part.writeUInt32BE(sender.timestamp, 16);
  part.writeUInt32BE(sender.packets >>> 0, 20);
  part.writeUInt32BE(sender.sizeBytes >>> 0, 24);
}

function writeBlock(part: Buffer, start: number, block: ReportBlock): void {
  part.writeUInt32BE(block.ssrc, start);
  part.writeUInt8(block.fractionLost, start + 4);
  part.writeIntBE(block.cumulativeLost, start + 5, 3);
  part.writeUInt32BE(block.highestSequence, start + 8);
  part.writeUInt32BE(block.jitter, start + 12);
  part.writeUInt32BE(block.lastReport, start + 16);
  part.writeUInt32BE(block.delay, start + 20);
}

// §6.5: one chunk with one item, ended by at least one 0 up to the word's end.
function descriptionPart({ ssrc, cname }: Report): Buffer {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  const part = Buffer.alloc(8 + Math.ceil((2 + name.length + 1) / 4) * 4);
  writeHead(part, { type: types.description, count: 1 });
  part.writeUInt32BE(ssrc, 4);
  part.writeUInt8(1, 8);
  part.writeUInt8(name.length, 9);
  name.copy(part, 10);
  return part;
}

function byePart(ssrc: number): Buffer {
  const part = Buffer.alloc(8);
  writeHead(part, { type: types.bye, count: 1 });
  part.writeUInt32BE(ssrc, 4);
  return part;
}

/** Undefined when it is not a valid compound packet (A.2): version 2, SR or RR first, lengths that add up. */
export function parseReport(packet: Buffer): ReceivedReport | undefined {
  const parts = partsOf(packet);
  const [first] = parts ?? [];
  if (!parts || !first) return undefined;
  const type = first[1];
  const isSender = type === types.senderReport;
  if (!isSender && type !== types.receiverReport) return undefined;
  if (first.length < (isSender ? 28 : 8)) return undefined;
  return {
    ssrc: first.readUInt32BE(4),
    // §4: the middle of the 64 bits, 16 of the seconds and 16 of the fraction.
    ntp: isSender ? first.readUInt32BE(10) : undefined,
    blocks: blocksOf(first, isSender ? 28 : 8),
    hasBye: parts.some((part) => part[1] === types.bye),
  };
}

function partsOf(packet: Buffer): readonly Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < packet.length; ) {
    if (packet.length < at + 4 || packet.readUInt8(at) >> 6 !== 2) return undefined;
    const end = at + (packet.readUInt16BE(at + 2) + 1) * 4;
    if (end > packet.length) return undefined;
    parts.push(packet.subarray(at, end));
    at = end;
  }
  return parts;
}

function blocksOf(part: Buffer, start: number): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  const count = part.readUInt8(0) & 0x1f;
  for (let at = start; blocks.length < count && at + blockBytes <= part.length; at += blockBytes)
    blocks.push({
      ssrc: part.readUInt32BE(at),
      fractionLost: part.readUInt8(at + 4),
      cumulativeLost: part.readIntBE(at + 5, 3),
      highestSequence: part.readUInt32BE(at + 8),
      jitter: part.readUInt32BE(at + 12),
      lastReport: part.readUInt32BE(at + 16),
      delay: part.readUInt32BE(at + 20),
    });
  return blocks;
}

/** Middle 32 bits of NTP time, as in LSR: 1/65536 s. */
export function shortNtp(wall: number): number {
  return Math.floor((wall / 1000 + secondsFrom1900To1970) * 65_536) % 0x1_0000_0000;
}

/** Time to the next report, ms (§6.2, §6.3.1: 5 s for two members, half for the first). */
export function reportInterval(random: number, isFirst: boolean): number {
  const mean = isFirst ? 2500 : 5000;
  // e - 3/2 makes up for timer reconsideration, which brings the mean below what was meant.
  return (mean * (random + 0.5)) / (Math.E - 1.5);
}
