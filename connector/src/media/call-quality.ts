import type { CodecName } from './audio/codecs.ts';
import { type Quality, qualityOf, type RatedCodec } from './rtp/quality.ts';
import type { RtpReceiver } from './rtp/receiver.ts';
import { reorderWait } from './rtp/reorder.ts';
import type { Reporter } from './rtp/reporter.ts';
import type { RtpSender } from './rtp/sender.ts';

/** How both directions of a call sound, from what was counted. */
export interface CallQuality {
  /** What we hear of the peer. */
  readonly received: Quality;
  /** What the peer hears of us, as it reports; undefined before its first report. */
  readonly sent: Quality | undefined;
}

export interface Counted {
  /** What we send; the peer nearly always sends the same. */
  readonly codec: CodecName;
  readonly ptime: number;
  readonly receiver: Pick<RtpReceiver, 'statistics' | 'packets'>;
  readonly sender: Pick<RtpSender, 'packets'>;
  readonly reporter: Pick<Reporter, 'remote'>;
}

const ratedAs = {
  PCMU: 'pcmu',
  PCMA: 'pcma',
  G722: 'g722',
  OPUS: 'opus',
} as const satisfies Record<CodecName, RatedCodec>;

export function callQualityOf({ codec, ptime, receiver, sender, reporter }: Counted): CallQuality {
  const rated = ratedAs[codec];
  const { remote } = reporter;
  const { lost, jitterMs } = receiver.statistics;
  // Half the way there and back, one packet to fill, and what may wait to be put in order.
  const delay = (remote?.roundTripMs ?? 0) / 2 + ptime + reorderWait;
  const sent = remote && {
    received: Math.max(0, sender.packets - remote.lost),
    lost: remote.lost,
    jitterMs: remote.jitterMs,
    delay,
  };
  return {
    received: qualityOf(rated, { received: receiver.packets, lost, jitterMs, delay }),
    sent: sent && qualityOf(rated, sent),
  };
}
