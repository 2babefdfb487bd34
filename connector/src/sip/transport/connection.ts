import type { Socket } from 'node:net';
import type { Timer } from '../../base/clock.ts';
import { createFramer, type Frame, type Framer } from '../message/framer.ts';
import type { Link, LinkPath } from './link.ts';
import { longestOpen, OpenTransactions } from './open-transactions.ts';
import { deliver, deliverError, type Shell } from './shell.ts';
import type { CloseReason } from './stats.ts';
import { systemCodeOf, TransportError } from './transport-error.ts';

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

/** How long an answer may take to be written before a connection with broken framing is closed. */
const linger = 200;

/** Time between TCP probes, which find peers that are gone without a word. */
const probeInterval = 60_000;

/** How often a connection that is to end looks whether it may, and how long it must have been still. */
const retireInterval = 500;
const retireQuiet = 1_000;

type TimerName = 'idle' | 'slow' | 'stuck' | 'ping' | 'pong' | 'linger' | 'retire';

/** One open TCP or TLS connection: frames in, bytes out, and the limits on both. */
export class Connection implements Link {
  readonly path: LinkPath;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #shell: Shell;
  readonly #framer: Framer;
  readonly #timers = new Map<TimerName, Timer>();
  readonly #open = new OpenTransactions();
  #lastActivity: number;
  #unsent = 0;
  #hasPonged = false;
  #reason: CloseReason | undefined;

  constructor(socket: Socket, path: LinkPath, shell: Shell) {
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

  get isOpen(): boolean {
    return this.#reason === undefined && !this.#socket.destroyed;
  }

  async send(bytes: Buffer): Promise<void> {
    this.#open.sent(bytes, this.#shell.clock.now());
    await this.#write(bytes);
    this.#lastActivity = this.#shell.clock.now();
    this.#shell.counters.sent[this.path.remote.protocol]++;
  }

  close(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  async finish(): Promise<void> {
    this.#reason ??= 'local';
    this.#set('linger', this.#shell.limits.sendTimeout, () => this.#socket.destroy());
    this.#socket.destroySoon();
    await this.closed;
  }

  retire(): void {
    const { clock } = this.#shell;
    const since = clock.now();
    const look = (): void => {
      const now = clock.now();
      const isStill = now - this.#lastActivity >= retireQuiet && this.#open.count(now) === 0;
      if (!isStill && now - since < longestOpen) return this.#set('retire', retireInterval, look);
      this.#reason ??= 'retired';
      void this.finish();
    };
    this.#set('retire', retireInterval, look);
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
        this.#open.received(frame.message, this.#lastActivity);
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
