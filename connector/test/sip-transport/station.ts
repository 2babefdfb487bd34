import type { Socket } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import { errorResponse, type ParseError } from '../../src/sip/message/parse-error.ts';
import { serialize } from '../../src/sip/message/serialize.ts';
import { type SocketTransport, startTransport } from '../../src/sip/transport/start-transport.ts';
import type { PeerTls, TlsSettings } from '../../src/sip/transport/tls.ts';
import type { ListenPoint, Protocol, Received, Remote } from '../../src/sip/transport/transport.ts';
import {
  defaultTransportLimits,
  type TransportLimits,
} from '../../src/sip/transport/transport-limits.ts';

/** A transport that keeps what it receives, and answers what is malformed. */
export interface Station {
  readonly transport: SocketTransport;
  readonly received: Received[];
  readonly malformed: ParseError[];
  /** Where others reach its listen point of a protocol. */
  at(protocol: Protocol): Remote;
  /** The next message with this Call-ID, waiting for it if needed. */
  next(callId: string): Promise<Received>;
}

export interface StationOptions {
  readonly listen?: readonly Protocol[];
  readonly address?: string;
  readonly tls?: TlsSettings;
  readonly tlsPeers?: readonly PeerTls[];
  readonly limits?: Partial<TransportLimits>;
}

/** Started on ports of the system's choice; closed at the end of the test. */
export async function startStation(given: StationOptions = {}): Promise<Station> {
  const { address = '127.0.0.1', listen = ['udp', 'tcp'] } = given;
  const received: Received[] = [];
  const malformed: ParseError[] = [];
  const answers: unknown[] = [];
  let transport: SocketTransport | undefined;
  const started = await startTransport({
    listen: listen.map((protocol): ListenPoint => ({ protocol, address, port: 0 })),
    ...(given.tls && { tls: given.tls }),
    ...(given.tlsPeers && { tlsPeers: given.tlsPeers }),
    limits: { ...defaultTransportLimits, ...given.limits },
    clock: systemClock,
    log: silentLog,
    user: {
      onMessage: (message) => received.push(message),
      onMalformed: (error, remote) => {
        malformed.push(error);
        const response = errorResponse(error, 'station');
        if (response) answers.push(transport?.send(serialize(response), remote));
      },
    },
  });
  transport = started;
  onTestFinished(() => started.close());
  return {
    transport: started,
    received,
    malformed,
    at(protocol) {
      const point = started.listenPoints.find((each) => each.protocol === protocol);
      expect(point).toBeDefined();
      return { protocol, address, port: point?.port ?? 0 };
    },
    next: (callId) =>
      eventually(() => {
        const found = received.find(({ message }) => callIdOf(message) === callId);
        if (!found) throw new Error(`nothing received for ${callId}`);
        return found;
      }),
  };
}

function callIdOf(message: SipMessage): string | undefined {
  return message.headers.find((each) => each.name === 'Call-ID')?.value;
}

/** An OPTIONS as bytes. */
export function options(callId: string, body = ''): Buffer {
  return serialize({
    kind: 'request',
    method: 'OPTIONS',
    uri: 'sip:b@b.test',
    headers: [
      { name: 'Via', value: 'SIP/2.0/TCP a.test;branch=z9hG4bKx' },
      { name: 'From', value: '<sip:a@a.test>;tag=1' },
      { name: 'To', value: '<sip:b@b.test>' },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: '1 OPTIONS' },
    ],
    body: Buffer.from(body),
  });
}

/** A 200 for a request, as bytes. */
export function ok({ headers }: SipMessage): Buffer {
  return serialize({ kind: 'response', status: 200, reason: 'OK', headers, body: Buffer.alloc(0) });
}

/** Resolves when a socket is closed, orderly or by a reset. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** Repeats a check until it holds, for as long as a busy machine may need. */
export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}
