import { defaultLimits, type MessageLimits } from '../message/limits.ts';

/** What peers may cost. Times in ms. */
export interface TransportLimits {
  readonly message: MessageLimits;
  /** Larger datagrams are dropped and counted. */
  readonly datagramBytes: number;
  /** Inbound connections, all sources together. */
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** Until an outbound connection is usable, TLS included. */
  readonly connectTimeout: number;
  /** Until an inbound TLS handshake is done. */
  readonly handshakeTimeout: number;
  /** From accepting a connection to its first message or ping, and for each message to be complete. */
  readonly messageTimeout: number;
  /** Without a message; on inbound connections pings count as well. */
  readonly idleTimeout: number;
  /** Until the peer has read what was written. */
  readonly sendTimeout: number;
  /** Between pings on outbound connections (RFC 5626 §4.4.1: 95 to 120 s). */
  readonly pingInterval: number;
  /** Until a pong, from peers that have sent one before. */
  readonly pongTimeout: number;
}

export const defaultTransportLimits: TransportLimits = {
  message: defaultLimits,
  datagramBytes: 65_535,
  maxConnections: 2_000,
  maxConnectionsPerSource: 100,
  connectTimeout: 5_000,
  handshakeTimeout: 5_000,
  messageTimeout: 10_000,
  idleTimeout: 900_000,
  sendTimeout: 5_000,
  pingInterval: 95_000,
  pongTimeout: 10_000,
};
