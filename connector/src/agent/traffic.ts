import type { EndpointStats } from '../media/endpoint-stats.ts';

/** RTP packets by what became of them, and recordings that were given up. */
export interface Traffic {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly strangers: number;
  readonly recordingsFailed: number;
}

export const noTraffic: Traffic = {
  packetsReceived: 0,
  packetsSent: 0,
  packetsLost: 0,
  strangers: 0,
  recordingsFailed: 0,
};

export function trafficOf(stats: EndpointStats): Traffic {
  return {
    packetsReceived: stats.packetsIn,
    packetsSent: stats.packetsOut,
    packetsLost: stats.lost,
    strangers: stats.strangers,
    recordingsFailed: stats.recordingsFailed,
  };
}

export function addUp(a: Traffic, b: Traffic): Traffic {
  return {
    packetsReceived: a.packetsReceived + b.packetsReceived,
    packetsSent: a.packetsSent + b.packetsSent,
    packetsLost: a.packetsLost + b.packetsLost,
    strangers: a.strangers + b.strangers,
    recordingsFailed: a.recordingsFailed + b.recordingsFailed,
  };
}
