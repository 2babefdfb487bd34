import type { CertificateFault } from './certificate-fault.ts';
import type { Protocol } from './protocol.ts';

/** Why a connection was closed. */
export type CloseReason =
  | 'peer'
  | 'error'
  | 'idle'
  | 'slow'
  | 'stuck'
  | 'silent'
  | 'malformed'
  | 'refused'
  /** Made with a certificate that has been replaced. */
  | 'retired'
  | 'local';

/** Counters since the start, for metrics; `inbound` and `outbound` are connections open now. */
export interface TransportStats {
  readonly received: Readonly<Record<Protocol, number>>;
  readonly sent: Readonly<Record<Protocol, number>>;
  /** Refused by the parser, answered or not. */
  readonly malformed: number;
  readonly oversized: number;
  /** Pings and pongs received. */
  readonly keepalives: number;
  readonly inbound: number;
  readonly outbound: number;
  /** Connections not accepted, for there were too many. */
  readonly refused: number;
  readonly handshakesFailed: number;
  readonly connectsFailed: number;
  /** Certificates of peers that were refused, by what was wrong; both directions. */
  readonly certificatesRefused: Readonly<Record<CertificateFault, number>>;
  readonly closed: Readonly<Record<CloseReason, number>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

export type Counters = Mutable<TransportStats>;

export function createCounters(): Counters {
  return {
    received: { udp: 0, tcp: 0, tls: 0, ws: 0, wss: 0 },
    sent: { udp: 0, tcp: 0, tls: 0, ws: 0, wss: 0 },
    malformed: 0,
    oversized: 0,
    keepalives: 0,
    inbound: 0,
    outbound: 0,
    refused: 0,
    handshakesFailed: 0,
    connectsFailed: 0,
    certificatesRefused: {
      missing: 0,
      expired: 0,
      'not-yet-valid': 0,
      'self-signed': 0,
      untrusted: 0,
      'wrong-name': 0,
      'wrong-purpose': 0,
      other: 0,
    },
    closed: {
      peer: 0,
      error: 0,
      idle: 0,
      slow: 0,
      stuck: 0,
      silent: 0,
      malformed: 0,
      refused: 0,
      retired: 0,
      local: 0,
    },
  };
}
