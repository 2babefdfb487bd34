import type { Socket } from 'node:net';
import { connect } from './connect.ts';
import { Connection } from './connection.ts';
import type { Shell } from './shell.ts';
import type { TlsSettings } from './tls.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { TransportError } from './transport-error.ts';

/** All stream connections of a transport: found by name or by whom they lead to, opened when needed. */
export class Connections {
  readonly #shell: Shell;
  readonly #tls: TlsSettings | undefined;
  readonly #byName = new Map<string, Connection>();
  /** Newest connection to each peer, and those being opened, by `keyOf`. */
  readonly #byPeer = new Map<string, Connection>();
  readonly #opening = new Map<string, Promise<Connection>>();
  #names = 0;
  #isClosed = false;

  constructor(shell: Shell, tls: TlsSettings | undefined) {
    this.#shell = shell;
    this.#tls = tls;
  }

  /** The open connection for a remote: the one it names, else one to the same peer. */
  find(remote: Remote): Connection | undefined {
    const named = remote.connection === undefined ? undefined : this.#byName.get(remote.connection);
    if (named?.isOpen) return named;
    const same = this.#byPeer.get(keyOf(remote));
    return same?.isOpen ? same : undefined;
  }

  /** A connection for a remote, opened if there is none; several callers share one attempt. */
  async get(remote: Remote, local: ListenPoint): Promise<Connection> {
    if (this.#isClosed) throw new TransportError('CLOSED', 'the transport is closed');
    const open = this.find(remote);
    if (open) return open;
    const key = keyOf(remote);
    const opening = this.#opening.get(key) ?? this.#open(remote, local);
    this.#opening.set(key, opening);
    return opening;
  }

  /** A named connection that answers may still be written to, open for other messages or not. */
  named(name: string | undefined): Connection | undefined {
    return name === undefined ? undefined : this.#byName.get(name);
  }

  async #open(remote: Remote, local: ListenPoint): Promise<Connection> {
    try {
      const socket = await connect(remote, local, { shell: this.#shell, tls: this.#tls });
      if (this.#isClosed) {
        socket.destroy();
        throw new TransportError('CLOSED', 'the transport is closed');
      }
      return this.#add(socket, { remote, local, isInbound: false });
    } finally {
      this.#opening.delete(keyOf(remote));
    }
  }

  /** Takes over a connection that a peer has opened. */
  accept(socket: Socket, remote: Remote, local: ListenPoint): void {
    if (this.#isClosed) socket.destroy();
    else this.#add(socket, { remote, local, isInbound: true });
  }

  #add(
    socket: Socket,
    { remote, local, isInbound }: { remote: Remote; local: ListenPoint; isInbound: boolean },
  ): Connection {
    const name = `${remote.protocol}-${++this.#names}`;
    const path = { remote: { ...remote, connection: name }, local, isInbound };
    const connection = new Connection(socket, path, this.#shell);
    this.#byName.set(name, connection);
    this.#byPeer.set(keyOf(remote), connection);
    this.#shell.counters[isInbound ? 'inbound' : 'outbound']++;
    void connection.closed.then(() => this.#remove(connection));
    return connection;
  }

  #remove(connection: Connection): void {
    const { remote, isInbound } = connection.path;
    this.#shell.counters[isInbound ? 'inbound' : 'outbound']--;
    this.#byName.delete(remote.connection);
    if (this.#byPeer.get(keyOf(remote)) === connection) this.#byPeer.delete(keyOf(remote));
  }

  /** Sends what is written and closes all; connections being opened fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byName.values()].map((connection) => connection.finish()));
    await Promise.allSettled(this.#opening.values());
  }
}

/**
 * Peers are the same when protocol, address, port and proven name are. An inbound TLS peer has proven
 * none, so a request that asks for a name never goes to it.
 */
function keyOf(remote: Remote): string {
  return [remote.protocol, remote.address, remote.port, remote.serverName ?? ''].join(' ');
}
