import type { Address } from '../sdp/description.ts';
import type { RtpReceiver } from './receiver.ts';
import { buildReport, parseReport, type ReportBlock, reportInterval, shortNtp } from './rtcp.ts';
import type { RtpSender } from './sender.ts';

/** What the peer reports about our stream. */
export interface RemoteReport {
  readonly lost: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | undefined;
}

/** The RTCP side of one call: when to report, what, and what the peer's reports say. */
export class Reporter {
  readonly #sender: RtpSender;
  readonly #receiver: RtpReceiver;
  readonly #cname: string;
  readonly #random: () => number;
  readonly #send: (packet: Buffer, target: Address) => void;
  readonly #target: () => Address | undefined;
  #dueAt: number | undefined;
  #sentAtLast = 0;
  #hasReported = false;
  #lastPeerReport: { readonly ntp: number; readonly at: number } | undefined;
  #remote: RemoteReport | undefined;

  constructor(parts: {
    readonly sender: RtpSender;
    readonly receiver: RtpReceiver;
    readonly cname: string;
    readonly random: () => number;
    /** Where reports go now; undefined: nowhere. */
    readonly target: () => Address | undefined;
    readonly send: (packet: Buffer, target: Address) => void;
  }) {
    this.#sender = parts.sender;
    this.#receiver = parts.receiver;
    this.#cname = parts.cname;
    this.#random = parts.random;
    this.#target = parts.target;
    this.#send = parts.send;
  }

  get remote(): RemoteReport | undefined {
    return this.#remote;
  }

  /** To be called with every frame; sends when a report is due. */
  tick(now: number, wall: number): void {
    if (this.#dueAt === undefined) this.#dueAt = now + reportInterval(this.#random(), true);
    if (now < this.#dueAt) return;
    this.#dueAt = now + reportInterval(this.#random(), false);
    this.#report({ now, wall, isBye: false });
  }

  /** The last report, with BYE. Nothing is said when nothing was ever sent (RFC 3550 §6.3.7). */
  bye(now: number, wall: number): void {
    if (this.#sender.packets > 0 || this.#hasReported) this.#report({ now, wall, isBye: true });
  }

  /** A packet that came from the peer's host. False: it is not valid RTCP. */
  receive(packet: Buffer, at: { readonly now: number; readonly wall: number }): boolean {
    const report = parseReport(packet);
    if (!report) return false;
    if (report.ntp !== undefined) this.#lastPeerReport = { ntp: report.ntp, at: at.now };
    const block = report.blocks.find((entry) => entry.ssrc === this.#sender.ssrc);
    if (block) this.#remote = remoteOf(block, at.wall, this.#sender.unitsPerMs);
    return true;
  }

  #report(at: { readonly now: number; readonly wall: number; readonly isBye: boolean }): void {
    const target = this.#target();
    if (!target) return;
    const { packets } = this.#sender;
    const isSender = packets > this.#sentAtLast;
    this.#sentAtLast = packets;
    this.#hasReported = true;
    const packet = buildReport({
      ssrc: this.#sender.ssrc,
      cname: this.#cname,
      sender: isSender ? this.#sender.info(at.wall) : undefined,
      block: this.#block(at.now),
      isBye: at.isBye,
    });
    this.#send(packet, target);
  }

  #block(now: number): ReportBlock | undefined {
    const { statistics } = this.#receiver;
    const report = statistics.report();
    if (!report || statistics.ssrc === undefined) return undefined;
    const last = this.#lastPeerReport;
    return {
      ...report,
      ssrc: statistics.ssrc,
      lastReport: last?.ntp ?? 0,
      delay: last ? Math.round(((now - last.at) / 1000) * 65_536) >>> 0 : 0,
    };
  }
}

// RFC 3550 §6.4.1: A - LSR - DLSR, all in 1/65536 s.
function remoteOf(block: ReportBlock, wall: number, unitsPerMs: number): RemoteReport {
  const roundTrip = (shortNtp(wall) - block.lastReport - block.delay) | 0;
  return {
    lost: block.cumulativeLost,
    jitterMs: block.jitter / unitsPerMs,
    roundTripMs: block.lastReport === 0 || roundTrip < 0 ? undefined : (roundTrip / 65_536) * 1000,
  };
}
