import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { SipRequest } from '../message/message.ts';
import type { SipUri } from '../message/uri.ts';
import { Connections } from './connections.ts';
import { Flows } from './flows.ts';
import { chooseListenPoint, withShownHost } from './listen-point.ts';
import { isWebSocket } from './protocol.ts';
import type { Shell } from './shell.ts';
import { createCounters, type TransportStats } from './stats.ts';
import { Admission, StreamListener } from './stream-listener.ts';
import type { PeerTls, TlsProfiles, TlsSettings } from './tls.ts';
import type { ListenPoint, Remote, Transport, TransportUser } from './transport.ts';
import { TransportError } from './transport-error.ts';
import type { TransportLimits } from './transport-limits.ts';
import { UdpListener } from './udp.ts';

export interface TransportOptions {
  /** Port 0 lets the system choose. */
  readonly listen: readonly ListenPoint[];
  /** Needed for tls and wss listen points; outbound TLS works without, with Node's authorities. */
  readonly tls?: TlsSettings;
  /** Peers that are connected to in another way than `tls` says; the first that fits counts. */
  readonly tlsPeers?: readonly PeerTls[];
  readonly limits: TransportLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly user: TransportUser;
}

/** The sockets of a SIP server. */
export interface SocketTransport extends Transport {
  /** A copy of the counters. */
  stats(): TransportStats;
  /**
   * Replaces certificates: new connections use these at once, TLS connections that are open end when
   * they carry no transaction. WebSockets stay, for only their clients could open them again.
   */
  useTls(tls: TlsProfiles): void;
  registered(request: SipRequest, remote: Remote): void;
  /** The connection of a WebSocket client that has registered this Contact (RFC 7118 §5). */
  flowTo(contact: SipUri): Remote | undefined;
}

/**
 * Binds all listen points and returns when the transport can be used; nothing is delivered before.
 * Rejects with a `TransportError` that names the address that cannot be bound, everything closed again.
 */
export async function startTransport(options: TransportOptions): Promise<SocketTransport> {
  const { limits, clock, log, user, tls } = options;
  const shell: Shell = { limits, clock, log, user, counters: createCounters() };
  const flows = new Flows();
  const connections = new Connections(shell, {
    ...(tls && { own: tls }),
    peers: options.tlsPeers ?? [],
  });
  const context = { shell, tls, connections, flows, admission: new Admission(shell) };
  const udp: UdpListener[] = [];
  const streams: StreamListener[] = [];
  try {
    const addresses = ownAddresses();
    for (const given of options.listen) {
      const point = withShownHost(given, addresses);
      if (point.protocol === 'udp') udp.push(await UdpListener.bind(point, shell));
      else streams.push(await StreamListener.bind(point, context));
    }
  } catch (error) {
    await Promise.all([...udp, ...streams].map((listener) => listener.close()));
    throw error;
  }
  const transport = new Sockets({ udp, streams, connections, flows, shell });
  for (const listener of [...udp, ...streams]) listener.open();
  return transport;
}

class Sockets implements SocketTransport {
  readonly listenPoints: readonly ListenPoint[];
  readonly #udp: readonly UdpListener[];
  readonly #streams: readonly StreamListener[];
  readonly #connections: Connections;
  readonly #flows: Flows;
  readonly #shell: Shell;
  #closing: Promise<void> | undefined;

  constructor(parts: {
    udp: readonly UdpListener[];
    streams: readonly StreamListener[];
    connections: Connections;
    flows: Flows;
    shell: Shell;
  }) {
    this.#udp = parts.udp;
    this.#streams = parts.streams;
    this.#connections = parts.connections;
    this.#flows = parts.flows;
    this.#shell = parts.shell;
    this.listenPoints = [...parts.udp, ...parts.streams].map((listener) => listener.point);
  }

  async send(message: Buffer, remote: Remote): Promise<void> {
    if (this.#closing) throw new TransportError('CLOSED', 'the transport is closed');
    const named = this.#connections.named(remote.connection);
    if (named) return named.send(message);
    if (isIP(remote.address) === 0) {
      throw new TransportError('NOT_AN_ADDRESS', 'messages are sent to addresses, not to names');
    }
    const local = this.localFor(remote);
    if (!local) {
      throw new TransportError(
        'NO_LISTEN_POINT',
        `no ${remote.protocol} listen point of its family`,
      );
    }
    if (remote.protocol !== 'udp') {
      const connection = await this.#connections.get(remote, local);
      return connection.send(message);
    }
    return this.#udp.find((listener) => listener.point === local)?.send(message, remote);
  }

  localFor(remote: Remote): ListenPoint | undefined {
    const open = remote.protocol === 'udp' ? undefined : this.#connections.find(remote);
    return open?.path.local ?? chooseListenPoint(this.listenPoints, remote);
  }

  disconnect(remote: Remote): void {
    this.#connections.named(remote.connection)?.close('refused');
  }

  useTls(tls: TlsProfiles): void {
    for (const listener of this.#streams) if (tls.own) listener.useTls(tls.own);
    this.#connections.useTls(tls);
  }

  registered(request: SipRequest, remote: Remote): void {
    const isOpen = this.#connections.named(remote.connection)?.isOpen === true;
    if (isOpen && isWebSocket(remote.protocol)) this.#flows.registered(request, remote);
  }

  flowTo(contact: SipUri): Remote | undefined {
    const remote = this.#flows.find(contact);
    return remote && this.#connections.find(remote)?.path.remote;
  }

  stats(): TransportStats {
    return structuredClone(this.#shell.counters);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(
      this.#streams.map((listener) => listener.close()).concat(this.#connections.close()),
    );
    await Promise.all(this.#udp.map((listener) => listener.close()));
  }
}

/** Addresses that peers can reach; never loopback or link-local. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((one) => one ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
    .map(({ address }) => address);
}
