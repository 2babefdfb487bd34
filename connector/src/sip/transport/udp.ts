import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { parseMessage } from '../message/parse.ts';
import { nameOf } from './listen-point.ts';
import { deliver, deliverError, type Shell } from './shell.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { systemCodeOf, TransportError } from './transport-error.ts';

/** Room for bursts while the process is busy; the system may give less. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** A bound UDP socket. */
export class UdpListener {
  readonly point: ListenPoint;
  readonly #socket: Socket;
  readonly #shell: Shell;
  #isClosed = false;

  private constructor(socket: Socket, point: ListenPoint, shell: Shell) {
    this.#socket = socket;
    this.#shell = shell;
    this.point = point;
    socket.on('error', (error) =>
      shell.log.warn({ code: systemCodeOf(error) }, 'error of a UDP socket'),
    );
  }

  /** Binds; nothing is received before `open`. Rejects with `LISTEN_FAILED`, naming the address. */
  static async bind(point: ListenPoint, shell: Shell): Promise<UdpListener> {
    const socket = createSocket({
      // IPv4 peers of a dual-stack socket would show as mapped addresses.
      ...(isIPv6(point.address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' }),
      recvBufferSize: receiveBufferBytes,
    });
    try {
      socket.bind(point.port, point.address);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw new TransportError(
        'LISTEN_FAILED',
        `cannot listen on ${nameOf(point)}: ${systemCodeOf(error)}`,
        { cause: error },
      );
    }
    return new UdpListener(socket, { ...point, port: socket.address().port }, shell);
  }

  /** Starts to receive. */
  open(): void {
    this.#socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  async send(message: Buffer, remote: Remote): Promise<void> {
    if (this.#isClosed) throw new TransportError('CLOSED', 'the transport is closed');
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(message, remote.port, remote.address, (error) => {
        if (error) reject(new TransportError('SEND_FAILED', systemCodeOf(error), { cause: error }));
        else resolve();
      });
    });
    this.#shell.counters.sent.udp++;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    const { counters, limits } = this.#shell;
    if (bytes.length > limits.datagramBytes) {
      counters.oversized++;
      return;
    }
    if (isKeepalive(bytes)) {
      counters.keepalives++;
      return;
    }
    const remote: Remote = { protocol: 'udp', address: from.address, port: from.port };
    const local = this.point;
    const message = parseMessage(bytes, limits.message);
    if (message.kind === 'error') deliverError(this.#shell, message, { remote, local });
    else deliver(this.#shell, { message, remote, local, sizeBytes: bytes.length });
  }
}

/** NAT keepalives: empty datagrams, line ends, or the four zero bytes some phones send. */
function isKeepalive(bytes: Buffer): boolean {
  return (
    bytes.length <= 4 && bytes.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0x00)
  );
}
