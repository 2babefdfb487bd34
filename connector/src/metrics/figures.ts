import { Counter, Gauge, type Registry } from 'prom-client';

/** Totals since the start, as the media side counts them. */
interface RtpFigures {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** Gaps in the sequence numbers received. */
  readonly packetsLost: number;
  /** Packets from addresses that are not the call's. */
  readonly strangers: number;
  /** Recordings given up for an error of the disk. */
  readonly recordingsFailed: number;
  /** Port pairs that a new call can have now. */
  readonly portsFree: number;
}

/** Totals since the start, as the SIP server counts them. */
export interface SipFigures {
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly messagesMalformed: number;
  /** Messages from addresses outside of `sip.sourceRanges`. */
  readonly strangers: number;
  /** Messages that got no answer for what their source did, by why. */
  readonly drops: Readonly<Record<string, number>>;
  /** Requests that the server refused without asking anybody, by why. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** What is asked for at each scrape. Cheap and never throwing. */
export interface Figures {
  activeCalls(): number;
  rtp(): RtpFigures;
  sip(): SipFigures;
}

interface Figure {
  readonly name: string;
  readonly help: string;
  readonly read: (figures: Figures) => number;
}

const counters: readonly Figure[] = [
  {
    name: 'parley_rtp_packets_received_total',
    help: 'RTP packets taken from callers.',
    read: (figures) => figures.rtp().packetsReceived,
  },
  {
    name: 'parley_rtp_packets_sent_total',
    help: 'RTP packets sent to callers.',
    read: (figures) => figures.rtp().packetsSent,
  },
  {
    name: 'parley_rtp_packets_lost_total',
    help: 'RTP packets that never came.',
    read: (figures) => figures.rtp().packetsLost,
  },
  {
    name: 'parley_rtp_stranger_packets_total',
    help: 'Packets on RTP ports from addresses that are not the call’s.',
    read: (figures) => figures.rtp().strangers,
  },
  {
    name: 'parley_recordings_failed_total',
    help: 'Recordings that were given up for an error of the disk.',
    read: (figures) => figures.rtp().recordingsFailed,
  },
  {
    name: 'parley_sip_messages_received_total',
    help: 'SIP messages received, malformed ones not counted.',
    read: (figures) => figures.sip().messagesReceived,
  },
  {
    name: 'parley_sip_messages_sent_total',
    help: 'SIP messages sent.',
    read: (figures) => figures.sip().messagesSent,
  },
  {
    name: 'parley_sip_messages_malformed_total',
    help: 'SIP messages that could not be read.',
    read: (figures) => figures.sip().messagesMalformed,
  },
  {
    name: 'parley_sip_strangers_total',
    help: 'SIP messages from outside of the source ranges, which got no answer.',
    read: (figures) => figures.sip().strangers,
  },
];

const gauges: readonly Figure[] = [
  {
    name: 'parley_calls_active',
    help: 'Calls that are set up or being set up.',
    read: (figures) => figures.activeCalls(),
  },
  {
    name: 'parley_rtp_ports_free',
    help: 'RTP port pairs that a new call can have.',
    read: (figures) => figures.rtp().portsFree,
  },
];

/** Metrics that read `figures` when they are scraped. */
export function registerFigures(registry: Registry, figures: Figures): void {
  const registers = [registry];
  for (const { name, help, read } of counters) {
    const counter: Counter = new Counter({
      name,
      help,
      registers,
      collect() {
        counter.reset();
        counter.inc(read(figures));
      },
    });
  }
  registerReasons(registers, {
    name: 'parley_sip_dropped_total',
    help: 'SIP messages that got no answer for what their source did.',
    read: () => figures.sip().drops,
  });
  registerReasons(registers, {
    name: 'parley_sip_refused_total',
    help: 'SIP requests that were refused without being looked at as calls.',
    read: () => figures.sip().refusals,
  });
  for (const { name, help, read } of gauges) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers,
      collect: () => gauge.set(read(figures)),
    });
  }
}

/** A counter with a label `reason`. */
function registerReasons(
  registers: Registry[],
  of: { name: string; help: string; read: () => Readonly<Record<string, number>> },
): void {
  const { name, help, read } = of;
  const counter: Counter<'reason'> = new Counter({
    name,
    help,
    labelNames: ['reason'],
    registers,
    collect() {
      counter.reset();
      for (const [reason, count] of Object.entries(read())) counter.inc({ reason }, count);
    },
  });
}
