import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { connect } from './connect.ts';
import { Connection } from './connection.ts';
import type { Link, LinkPath } from './link.ts';
import { namesOfServer } from './peer-certificate.ts';
import { canConnect } from './protocol.ts';
import type { Shell } from './shell.ts';
import type { TlsProfiles } from './tls.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { TransportError } from './transport-error.ts';

/** Who a new connection leads to. */
type Opening = Pick<LinkPath, 'local' | 'isInbound'> & { readonly remote: Remote };

/**
 * All connections of a transport: found by name or by whom they lead to, opened when needed. Who they
 * lead to is the address that the socket shows, never what a Via or Contact claims.
 */
export class Connections {
  readonly #shell: Shell;
  #tls: TlsProfiles;
  readonly #byName = new Map<string, Link>();
  /** Newest connection to each peer, and those being opened, by `keyOf`. */
  readonly #byPeer = new Map<string, Link>();
  readonly #opening = new Map<string, Promise<Link>>();
  #names = 0;
  #isClosed = false;

  constructor(shell: Shell, tls: TlsProfiles) {
    this.#shell = shell;
    this.#tls = tls;
  }

  /** New connections are made with these; TLS ones that are open end when they carry no transaction. */
  useTls(tls: TlsProfiles): void {
    this.#tls = tls;
    // What is being opened with the old ones is not for later messages.
    for (const key of this.#opening.keys()) if (key.startsWith('tls ')) this.#opening.delete(key);
    for (const link of this.#byName.values()) {
      if (link.path.remote.protocol !== 'tls') continue;
      this.#forgetPeer(link);
      link.retire?.();
    }
  }

  /** The open connection for a remote: the one it names, else one to the same peer. */
  find(remote: Remote): Link | undefined {
    const named = remote.connection === undefined ? undefined : this.#byName.get(remote.connection);
    if (named?.isOpen) return named;
    const same = this.#byPeer.get(keyOf(remote));
    return same?.isOpen ? same : undefined;
  }

  /** A connection for a remote, opened if there is none; several callers share one attempt. */
  async get(remote: Remote, local: ListenPoint): Promise<Link> {
    if (this.#isClosed) throw new TransportError('CLOSED', 'the transport is closed');
    const open = this.find(remote);
    if (open) return open;
    if (!canConnect(remote.protocol)) {
      throw new TransportError('NO_CONNECTION', `no ${remote.protocol} connection to the client`);
    }
    const key = keyOf(remote);
    const opening = this.#opening.get(key);
    if (opening) return opening;
    const made = this.#open(remote, local);
    this.#opening.set(key, made);
    const settle = (): void => {
      if (this.#opening.get(key) === made) this.#opening.delete(key);
    };
    void made.then(settle, settle);
    return made;
  }

  /** A named connection that answers may still be written to, open for other messages or not. */
  named(name: string | undefined): Link | undefined {
    return name === undefined ? undefined : this.#byName.get(name);
  }

  async #open(remote: Remote, local: ListenPoint): Promise<Link> {
    const tls = this.#tls;
    const socket = await connect(remote, local, { shell: this.#shell, tls });
    if (this.#isClosed) {
      socket.destroy();
      throw new TransportError('CLOSED', 'the transport is closed');
    }
    const proven = socket instanceof TLSSocket && { peerNames: namesOfServer(socket) };
    const opening = { remote: { ...remote, ...proven }, local, isInbound: false };
    const connection = this.#add(opening, (path) => new Connection(socket, path, this.#shell));
    if (tls !== this.#tls && remote.protocol === 'tls') {
      this.#forgetPeer(connection);
      connection.retire?.();
    }
    return connection;
  }

  /** Takes over a connection that a peer has opened. */
  accept(socket: Socket, remote: Remote, local: ListenPoint): void {
    const make = (path: LinkPath): Link => new Connection(socket, path, this.#shell);
    if (this.#isClosed) socket.destroy();
    else this.#add({ remote, local, isInbound: true }, make);
  }

  /** The same for one that `make` wraps; undefined when the transport is closed. */
  adopt(opening: Omit<Opening, 'isInbound'>, make: (path: LinkPath) => Link): Link | undefined {
    return this.#isClosed ? undefined : this.#add({ ...opening, isInbound: true }, make);
  }

  #add({ remote, local, isInbound }: Opening, make: (path: LinkPath) => Link): Link {
    const name = `${remote.protocol}-${++this.#names}`;
    const link = make({ remote: { ...remote, connection: name }, local, isInbound });
    this.#byName.set(name, link);
    this.#byPeer.set(keyOf(remote), link);
    this.#shell.counters[isInbound ? 'inbound' : 'outbound']++;
    void link.closed.then(() => this.#remove(link));
    return link;
  }

  #remove(link: Link): void {
    const { remote, isInbound } = link.path;
    this.#shell.counters[isInbound ? 'inbound' : 'outbound']--;
    this.#byName.delete(remote.connection);
    this.#forgetPeer(link);
  }

  #forgetPeer(link: Link): void {
    const key = keyOf(link.path.remote);
    if (this.#byPeer.get(key) === link) this.#byPeer.delete(key);
  }

  /** Sends what is written and closes all; connections being opened fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byName.values()].map((link) => link.finish()));
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
