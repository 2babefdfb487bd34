import type { Socket } from 'node:net';
import type { Timer } from '../../base/clock.ts';
import { createFramer, type Frame, type Framer } from '../message/framer.ts';
import { deliver, deliverError, type Shell } from './shell.ts';
import type { CloseReason } from './stats.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { systemCodeOf, TransportError } from './transport-error.ts';

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

/** How long an answer may take to be written before a connection with broken framing is closed. */
const linger = 200;

/** Time between TCP probes, which find peers that are gone without a word. */
const probeInterval = 60_000;

type TimerName = 'idle' | 'slow' | 'stuck' | 'ping' | 'pong' | 'linger';

/** Which connection this is. */
export interface ConnectionPath {
  /** `connection` is set: the name of this connection. */
  readonly remote: Remote & { readonly connection: string };
  readonly local: ListenPoint;
  readonly isInbound: boolean;
}

/** One open TCP or TLS connection: frames in, bytes out, and the limits on both. */
export class Connection {
  readonly path: ConnectionPath;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #shell: Shell;
  readonly #framer: Framer;
  readonly #timers = new Map<TimerName, Timer>();
  #lastActivity: number;
  #unsent = 0;
  #hasPonged = false;
  #reason: CloseReason | undefined;

  constructor(socket: Socket, path: ConnectionPath, shell: Shell) {
    this.path = path;
    this.#socket = socket;
    this.#shell = shell;
    this.#framer = createFramer(shell.limits.message);
    this.#lastActivity = shell.clock.now();
    this.closed = new Promise((resolve) => socket.once('close', () => resolve(this.#onClose())));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, probeInterval);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => this.#onError(error));
    this.#watchIdle(shell.limits.idleTimeout);
    if (path.isInbound) this.#set('slow', shell.limits.messageTimeout, () => this.close('slow'));
    else this.#set('ping', shell.limits.pingInterval, () => this.#ping());
  }

  /** False once it is closing; nothing new is to be sent on it then. */
  get isOpen(): boolean {
    return this.#reason === undefined && !this.#socket.destroyed;
  }

  /** Resolves when the system has taken the bytes; rejects when the connection is or gets closed. */
  async send(bytes: Buffer): Promise<void> {
    await this.#write(bytes);
    this.#lastActivity = this.#shell.clock.now();
    this.#shell.counters.sent[this.path.remote.protocol === 'tls' ? 'tls' : 'tcp']++;
  }

  /** Closes at once. Only the first reason counts. */
  close(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  /** Closes when what was written is sent, at the latest after the send timeout. */
  async finish(): Promise<void> {
    this.#reason ??= 'local';
    this.#set('linger', this.#shell.limits.sendTimeout, () => this.#socket.destroy());
    this.#socket.destroySoon();
    await this.closed;
  }

  #write(bytes: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      return Promise.reject(new TransportError('CLOSED', 'the connection is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#unsent++;
      if (!this.#timers.has('stuck')) this.#watchSending();
      this.#socket.write(bytes, (error) => {
        this.#unsent--;
        this.#clear('stuck');
        if (this.#unsent > 0 && !this.#socket.destroyed) this.#watchSending();
        if (!error) resolve();
        else reject(new TransportError('SEND_FAILED', systemCodeOf(error), { cause: error }));
      });
    });
  }

  /** A peer that does not read must not fill our memory. */
  #watchSending(): void {
    this.#set('stuck', this.#shell.limits.sendTimeout, () => this.close('stuck'));
  }

  #receive(bytes: Buffer): void {
    if (this.#reason !== undefined) return;
    const frames = this.#framer.push(bytes);
    if (frames.length > 0) this.#clear('slow');
    if (this.#framer.isWaiting && !this.#timers.has('slow')) {
      this.#set('slow', this.#shell.limits.messageTimeout, () => this.close('slow'));
    }
    for (const frame of frames) this.#handle(frame);
  }

  #handle(frame: Frame): void {
    const { remote, local } = this.path;
    switch (frame.kind) {
      case 'message':
        this.#lastActivity = this.#shell.clock.now();
        deliver(this.#shell, { message: frame.message, remote, local, sizeBytes: frame.sizeBytes });
        return;
      case 'error':
        deliverError(this.#shell, frame.error, { remote, local });
        if (frame.isFatal) this.#doom();
        return;
      case 'ping':
      case 'pong':
        this.#handleKeepalive(frame.kind);
    }
  }

  #handleKeepalive(kind: 'ping' | 'pong'): void {
    this.#shell.counters.keepalives++;
    if (kind === 'pong') {
      this.#hasPonged = true;
      this.#clear('pong');
      return;
    }
    if (this.path.isInbound) this.#lastActivity = this.#shell.clock.now();
    this.#write(pong).catch(() => this.close('error'));
  }

  /** The framing is lost: nothing more is read, an answer may still go out. */
  #doom(): void {
    this.#reason ??= 'malformed';
    this.#set('linger', linger, () => void this.finish());
  }

  #ping(): void {
    this.#framer.expectPong();
    this.#write(ping).catch(() => this.close('error'));
    this.#set('ping', this.#shell.limits.pingInterval, () => this.#ping());
    // Peers without RFC 5626 never answer, so only those that once did are held to it.
    if (this.#hasPonged)
      this.#set('pong', this.#shell.limits.pongTimeout, () => this.close('silent'));
  }

  #watchIdle(delay: number): void {
    this.#set('idle', delay, () => {
      const { clock, limits } = this.#shell;
      const left = this.#lastActivity + limits.idleTimeout - clock.now();
      if (left <= 0) this.close('idle');
      else this.#watchIdle(left);
    });
  }

  /** What is written still goes out, for the peer may only have finished sending. */
  #onEnd(): void {
    this.#reason ??= 'peer';
    this.#set('linger', this.#shell.limits.sendTimeout, () => this.#socket.destroy());
  }

  #onError(error: Error): void {
    this.#shell.log.debug(
      { code: systemCodeOf(error), protocol: this.path.remote.protocol },
      'connection lost',
    );
    this.close('error');
  }

  #onClose(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#shell.counters.closed[this.#reason ?? 'peer']++;
    this.#reason ??= 'peer';
  }

  #set(name: TimerName, delay: number, task: () => void): void {
    this.#clear(name);
    const run = (): void => {
      this.#timers.delete(name);
      task();
    };
    this.#timers.set(name, this.#shell.clock.after(delay, run));
  }

  #clear(name: TimerName): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}
