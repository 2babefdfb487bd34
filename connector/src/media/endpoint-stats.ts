import type { CodecName } from './audio/codecs.ts';
import { type CallQuality, callQualityOf } from './call-quality.ts';
import type { Playout } from './playout.ts';
import type { RtpReceiver } from './rtp/receiver.ts';
import type { RemoteReport, Reporter } from './rtp/reporter.ts';
import type { RtpSender } from './rtp/sender.ts';

export interface EndpointStats {
  readonly packetsIn: number;
  /** Payload bytes. */
  readonly bytesIn: number;
  readonly packetsOut: number;
  /** Payload bytes. */
  readonly bytesOut: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** Packets from addresses that are not the peer's. */
  readonly strangers: number;
  /** Packets that were no RTP or RTCP, or of a payload type that was not agreed. */
  readonly malformed: number;
  /** Frames left out of the playout to win back delay. */
  readonly droppedFrames: number;
  /** What the peer's RTCP says of our stream; undefined before its first report. */
  readonly remote: RemoteReport | undefined;
  /** Packets that came too late to be heard in their place. */
  readonly late: number;
  /** ms of audio made up for what was lost. */
  readonly concealed: number;
  /** 1 where the recording was given up for an error of the disk. */
  readonly recordingsFailed: number;
  readonly quality: CallQuality;
}

/** The parts of an endpoint that count. */
interface CountedParts {
  readonly receiver: RtpReceiver;
  readonly sender: RtpSender;
  readonly reporter: Reporter;
  readonly playout: Playout;
  readonly codec: CodecName;
  readonly ptime: number;
  readonly malformedReports: number;
  readonly recordingsFailed: number;
}

export function endpointStatsOf(parts: CountedParts): EndpointStats {
  const { receiver, sender, reporter, playout, recordingsFailed } = parts;
  const { statistics } = receiver;
  return {
    packetsIn: receiver.packets,
    bytesIn: receiver.sizeBytes,
    packetsOut: sender.packets,
    bytesOut: sender.sizeBytes,
    lost: statistics.lost,
    recordingsFailed,
    jitterMs: statistics.jitterMs,
    strangers: receiver.strangers,
    malformed: receiver.malformed + parts.malformedReports,
    droppedFrames: playout.droppedFrames,
    remote: reporter.remote,
    late: receiver.late,
    concealed: receiver.concealed,
    quality: callQualityOf(parts),
  };
}
