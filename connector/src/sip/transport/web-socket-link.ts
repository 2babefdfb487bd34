import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Timer } from '../../base/clock.ts';
import { parseMessage } from '../message/parse.ts';
import type { Link, LinkPath } from './link.ts';
import { deliver, deliverError, type Shell } from './shell.ts';
import type { CloseReason } from './stats.ts';
import { TransportError } from './transport-error.ts';

interface WebSocketParts {
  readonly webSocket: WebSocket;
  /** What it runs on. */
  readonly socket: Socket;
  readonly path: LinkPath;
  readonly shell: Shell;
}

type TimerName = 'idle' | 'stuck' | 'ping' | 'pong' | 'linger';

/** The WebSocket of a client: a message in each frame, text or binary (RFC 7118 §4.2). */
export class WebSocketLink implements Link {
  readonly path: LinkPath;
  readonly closed: Promise<void>;
  readonly #parts: WebSocketParts;
  readonly #timers = new Map<TimerName, Timer>();
  #unsent = 0;
  #reason: CloseReason | undefined;

  constructor(parts: WebSocketParts) {
    const { webSocket, socket, path, shell } = parts;
    this.path = path;
    this.#parts = parts;
    this.closed = new Promise((resolve) => webSocket.once('close', () => resolve(this.#onClose())));
    socket.setNoDelay(true);
    webSocket.on('message', (data) => this.#receive(bytesOf(data)));
    webSocket.on('pong', () => this.#onPong());
    webSocket.on('error', (error) => this.#onError(error));
    this.#onActivity();
    this.#set('ping', shell.limits.pingInterval, () => this.#ping());
  }

  get isOpen(): boolean {
    const { webSocket } = this.#parts;
    return this.#reason === undefined && webSocket.readyState === webSocket.OPEN;
  }

  async send(bytes: Buffer): Promise<void> {
    const { shell } = this.#parts;
    await this.#write(bytes);
    this.#onActivity();
    shell.counters.sent[this.path.remote.protocol]++;
  }

  close(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#parts.webSocket.terminate();
  }

  async finish(): Promise<void> {
    const { webSocket, shell } = this.#parts;
    this.#reason ??= 'local';
    this.#set('linger', shell.limits.sendTimeout, () => webSocket.terminate());
    webSocket.close(goingAway);
    await this.closed;
  }

  #write(bytes: Buffer): Promise<void> {
    const { webSocket } = this.#parts;
    if (webSocket.readyState !== webSocket.OPEN) {
      return Promise.reject(new TransportError('CLOSED', 'the connection is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#unsent++;
      if (!this.#timers.has('stuck')) this.#watchSending();
      // Browsers hand text to their user as it is; what is no UTF-8 could not be sent as text.
      webSocket.send(bytes, { binary: !isUtf8(bytes) }, (error) => {
        this.#unsent--;
        this.#clear('stuck');
        if (this.#unsent > 0 && webSocket.readyState === webSocket.OPEN) this.#watchSending();
        if (!error) resolve();
        else reject(new TransportError('SEND_FAILED', 'the connection is lost', { cause: error }));
      });
    });
  }

  /** A peer that does not read must not fill our memory, however much it asks for meanwhile. */
  #watchSending(): void {
    this.#set('stuck', this.#parts.shell.limits.sendTimeout, () => this.close('stuck'));
  }

  #receive(bytes: Buffer): void {
    if (this.#reason !== undefined) return;
    const { shell } = this.#parts;
    const { remote, local } = this.path;
    if (isLineEnds(bytes)) {
      this.#onKeepalive(bytes);
      return;
    }
    this.#onActivity();
    const message = parseMessage(bytes, shell.limits.message);
    if (message.kind === 'error') {
      deliverError(shell, message, { remote, local });
      return;
    }
    deliver(shell, { message, remote, local, sizeBytes: bytes.length });
  }

  /** RFC 7118 §6: what RFC 5626 §3.5.1 does in a stream goes as well, beside the WebSocket's own ping. */
  #onKeepalive(bytes: Buffer): void {
    this.#parts.shell.counters.keepalives++;
    this.#onActivity();
    if (bytes.length >= 4) this.#write(pong).catch(() => this.close('error'));
  }

  #ping(): void {
    const { webSocket, shell } = this.#parts;
    webSocket.ping();
    this.#set('pong', shell.limits.pongTimeout, () => this.close('silent'));
    this.#set('ping', shell.limits.pingInterval, () => this.#ping());
  }

  #onPong(): void {
    this.#parts.shell.counters.keepalives++;
    this.#clear('pong');
    this.#onActivity();
  }

  #onActivity(): void {
    this.#set('idle', this.#parts.shell.limits.idleTimeout, () => this.close('idle'));
  }

  #onError(error: Error & { code?: unknown }): void {
    const { shell } = this.#parts;
    const isOversized = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    if (isOversized) shell.counters.oversized++;
    this.#reason ??= isOversized ? 'malformed' : 'error';
    // The library tells the peer why (1009, 1002 …) and closes; a peer that does not follow is cut off.
    this.#set('linger', shell.limits.sendTimeout, () => this.#parts.webSocket.terminate());
  }

  #onClose(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#reason ??= 'peer';
    this.#parts.shell.counters.closed[this.#reason]++;
  }

  #set(name: TimerName, delay: number, task: () => void): void {
    this.#clear(name);
    const run = (): void => {
      this.#timers.delete(name);
      task();
    };
    this.#timers.set(name, this.#parts.shell.clock.after(delay, run));
  }

  #clear(name: TimerName): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}

const pong = Buffer.from('\r\n');
/** RFC 6455 §7.4.1. */
const goingAway = 1001;

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function isLineEnds(bytes: Buffer): boolean {
  return bytes.length <= 4 && bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}
