import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Address } from '../sdp/description.ts';

export type OnPacket = (packet: Buffer, address: string, port: number) => void;

/** One bound UDP socket. */
export class UdpSocket {
  readonly #socket: Socket;
  #closing: Promise<void> | undefined;
  /** Packets that come before it is set are lost. */
  onPacket: OnPacket | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // ICMP errors and the like concern one packet, which is lost as any other may be.
    socket.on('error', () => undefined);
    socket.on('message', (packet, from) => this.onPacket?.(packet, from.address, from.port));
  }

  /** Sends, or drops when the system refuses. The buffer may still be in use for some packets' time. */
  send(packet: Buffer, target: Address): void {
    if (!this.#closing) this.#socket.send(packet, target.port, target.address);
  }

  /** What was sent before is still handed to the system. */
  close(): Promise<void> {
    this.onPacket = undefined;
    this.#closing ??= new Promise((resolve) => {
      this.#socket.close(resolve);
    });
    return this.#closing;
  }
}

/** Binds a socket. Rejects with the system's error (EADDRINUSE …). */
export async function openSocket(local: Address): Promise<UdpSocket> {
  const family = isIPv6(local.address) ? 6 : 4;
  const socket = createSocket({
    type: `udp${family}`,
    // Targets are IP literals: answering here saves a promise and a tick for each packet.
    lookup: (host, _options, done) => done(null, host, family),
  });
  await bind(socket, local);
  return new UdpSocket(socket);
}

async function bind(socket: Socket, local: Address): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind({ address: local.address, port: local.port, exclusive: true });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Two sockets on a port and the next (RFC 3550 §11). */
export interface SocketPair {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
}

/** Binds both or none. */
export async function openSocketPair(local: Address): Promise<SocketPair> {
  const rtp = await openSocket(local);
  try {
    return { rtp, rtcp: await openSocket({ address: local.address, port: local.port + 1 }) };
  } catch (error) {
    await rtp.close();
    throw error;
  }
}
