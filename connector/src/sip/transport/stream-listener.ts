import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { Timer } from '../../base/clock.ts';
import type { Connections } from './connections.ts';
import type { Flows } from './flows.ts';
import { nameOf } from './listen-point.ts';
import { judgePeer } from './peer-certificate.ts';
import { isSecure, isWebSocket } from './protocol.ts';
import { refuseCertificate, type Shell } from './shell.ts';
import { serverOptions, type TlsSettings } from './tls.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { systemCodeOf, TransportError } from './transport-error.ts';
import { WebSocketDoor } from './web-socket-door.ts';

const backlog = 512;

/** Counts inbound sockets, handshakes included, per source and in all. */
export class Admission {
  readonly #shell: Shell;
  readonly #bySource = new Map<string, number>();
  #all = 0;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Takes a place that is free again when the socket closes; false when there is none. */
  admit(socket: Socket, source: string): boolean {
    const { limits } = this.#shell;
    const same = this.#bySource.get(source) ?? 0;
    if (this.#all >= limits.maxConnections || same >= limits.maxConnectionsPerSource) return false;
    this.#all++;
    this.#bySource.set(source, same + 1);
    socket.once('close', () => this.#release(source));
    return true;
  }

  #release(source: string): void {
    this.#all--;
    const left = (this.#bySource.get(source) ?? 1) - 1;
    if (left > 0) this.#bySource.set(source, left);
    else this.#bySource.delete(source);
  }
}

/** What a stream listener works with. */
export interface StreamContext {
  readonly shell: Shell;
  /** Our certificate at the start. */
  readonly tls: TlsSettings | undefined;
  readonly admission: Admission;
  readonly connections: Connections;
  readonly flows: Flows;
}

/** A listening TCP socket, with TLS and WebSocket on top where the point says so. */
export class StreamListener {
  readonly point: ListenPoint;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | undefined;
  readonly #webSockets: WebSocketDoor | undefined;
  #tls: TlsSettings | undefined;
  readonly #context: StreamContext;
  /** Handshakes that are not done, by `peerOf`. */
  readonly #handshakes = new Map<string, { socket: Socket; timer: Timer }>();
  #isOpen = false;
  #isClosed = false;

  private constructor(server: Server, point: ListenPoint, context: StreamContext) {
    this.#server = server;
    this.#context = context;
    this.point = point;
    this.#tlsServer =
      context.tls && isSecure(point.protocol) ? this.#createTls(context.tls) : undefined;
    this.#tls = context.tls;
    this.#webSockets = isWebSocket(point.protocol) ? new WebSocketDoor(context, point) : undefined;
    server.on('connection', (socket) => this.#admit(socket));
    server.on('error', (error) =>
      context.shell.log.warn({ code: systemCodeOf(error) }, 'error of a listening socket'),
    );
  }

  /** Binds; connections are refused before `open`. Rejects with `LISTEN_FAILED`, naming the address. */
  static async bind(point: ListenPoint, context: StreamContext): Promise<StreamListener> {
    if (isSecure(point.protocol) && !context.tls) {
      throw new TransportError('LISTEN_FAILED', `${nameOf(point)} needs a certificate`);
    }
    const server = createServer();
    try {
      const { address: host, port } = point;
      server.listen({ host, port, backlog, ipv6Only: isIPv6(host) });
      await once(server, 'listening');
    } catch (error) {
      throw new TransportError(
        'LISTEN_FAILED',
        `cannot listen on ${nameOf(point)}: ${systemCodeOf(error)}`,
        { cause: error },
      );
    }
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : point.port;
    return new StreamListener(server, { ...point, port }, context);
  }

  open(): void {
    this.#isOpen = true;
  }

  /** Handshakes from now on are made with these; nothing where the point is not secure. */
  useTls(tls: TlsSettings): void {
    if (!this.#tlsServer) return;
    this.#tls = tls;
    this.#tlsServer.setSecureContext(serverOptions(tls));
  }

  /** Stops listening and drops handshakes that are not done; connections are not its own. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    for (const { socket } of this.#handshakes.values()) socket.destroy();
    this.#webSockets?.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #admit(socket: Socket): void {
    const { admission, shell } = this.#context;
    const { remoteAddress: address, remotePort: port } = socket;
    // The peer may be gone already, and the address with it.
    if (address === undefined || port === undefined || !this.#isOpen) {
      socket.destroy();
      return;
    }
    if (!admission.admit(socket, address)) {
      shell.counters.refused++;
      socket.destroy();
      return;
    }
    if (this.#tlsServer) this.#handshake(socket, this.#tlsServer);
    else this.#accept(socket, { protocol: this.point.protocol, address, port });
  }

  #accept(socket: Socket, remote: Remote): void {
    if (this.#webSockets) this.#webSockets.admit(socket, remote);
    else this.#context.connections.accept(socket, remote, this.point);
  }

  #handshake(socket: Socket, server: TlsServer): void {
    const { clock, limits, counters } = this.#context.shell;
    const key = peerOf(socket);
    const timer = clock.after(limits.handshakeTimeout, () => {
      counters.handshakesFailed++;
      socket.destroy();
    });
    this.#handshakes.set(key, { socket, timer });
    // The error is the TLS socket's to report.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (this.#handshakes.get(key)?.socket === socket) this.#endHandshake(key);
    });
    server.emit('connection', socket);
  }

  #endHandshake(key: string): void {
    this.#handshakes.get(key)?.timer.cancel();
    this.#handshakes.delete(key);
  }

  #createTls(tls: TlsSettings): TlsServer {
    const server = createTlsServer(serverOptions(tls));
    server.on('secureConnection', (socket) => this.#onSecure(socket));
    server.on('tlsClientError', (_error, socket) => {
      this.#context.shell.counters.handshakesFailed++;
      socket.destroy();
    });
    return server;
  }

  #onSecure(socket: TLSSocket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    this.#endHandshake(peerOf(socket));
    const names = this.#namesOf(socket);
    if (names === 'refused') socket.destroy();
    else this.#accept(socket, { protocol: this.point.protocol, address, port, ...names });
  }

  /** What the client's certificate proves, where one is asked for. */
  #namesOf(socket: TLSSocket): { peerNames?: readonly string[] } | 'refused' {
    const { shell } = this.#context;
    const { clientCa, requiresClientCertificate = false } = this.#tls ?? {};
    if (clientCa === undefined) return {};
    const verdict = judgePeer(socket, clientCa);
    if (verdict.kind === 'good') return { peerNames: verdict.names };
    if (!requiresClientCertificate && verdict.fault === 'missing') return {};
    refuseCertificate(shell, verdict.fault, 'inbound');
    return requiresClientCertificate ? 'refused' : {};
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
