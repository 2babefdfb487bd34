import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Application } from './application.ts';
import { type Command, type Order, parseCommand } from './command.ts';
import { FrameReader, largestFrameBytes } from './frame.ts';
import { encodeNotice, type Notice } from './notify.ts';
import { encodeReply, type Reply } from './reply.ts';

/** A stranger says no more than its secret and tags. */
const largestStrangerFrameBytes = 2 * 1024;
/** A client authenticates at once. */
const authenticationTimeout = 10_000;
/** An application that is so far behind will not catch up; its calls are better off with another. */
const mostWaitingBytes = 16 * 1024 * 1024;
const keepAliveInterval = 45_000;
/** For the peer of a refused connection to close its side. */
const farewell = 1_000;

/** Orders of an authenticated application. */
export type ApplicationOrder = Exclude<Order, { kind: 'authenticate' | 'ping' | 'refused' }>;

/** Who carries out what applications ask for. */
export interface ConnectionUser {
  /** The reply to a right secret. */
  welcome(): Reply;
  /** That reply is out. */
  onAuthenticated(connection: Connection): void;
  onOrder(connection: Connection, command: string, order: ApplicationOrder): void;
  /** The connection of an authenticated application is gone. */
  onClosed(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
}

/** One TCP connection of an application: frames, authentication, replies and notices. */
export class Connection implements Application {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #user: ConnectionUser;
  readonly #reader = new FrameReader(largestStrangerFrameBytes);
  #deadline: Timer;
  #state: 'stranger' | 'application' | 'closing' | 'closed' = 'stranger';
  #wasApplication = false;
  #tags: readonly string[] = [];

  constructor(socket: Socket, options: ConnectionOptions, user: ConnectionUser) {
    this.#socket = socket;
    this.#options = options;
    this.#user = user;
    this.#deadline = options.clock.after(authenticationTimeout, () => {
      options.log.warn({}, 'connection did not authenticate in time');
      this.close();
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveInterval);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => options.log.debug({ error: error.message }, 'connection failed'));
    socket.on('close', () => this.#onClose());
  }

  get tags(): readonly string[] {
    return this.#tags;
  }

  get isOpen(): boolean {
    return this.#state === 'application';
  }

  notify(notice: Notice): void {
    this.#write(encodeNotice(this.#options.newId(), notice));
  }

  reply(command: string, reply: Reply): void {
    this.#write(encodeReply(this.#options.newId(), command, reply));
  }

  close(): void {
    this.#state = 'closed';
    this.#deadline.cancel();
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    for (const payload of this.#reader.read(chunk)) {
      if (this.#state === 'closing' || this.#state === 'closed') return;
      this.#onCommand(parseCommand(payload));
    }
    if (!this.#reader.isBroken || this.#state === 'closing' || this.#state === 'closed') return;
    this.#options.log.warn({}, 'connection sent something other than a frame');
    this.#part();
  }

  #onCommand({ id, order }: Command): void {
    if (order.kind === 'authenticate') {
      this.#authenticate(id, order);
    } else if (this.#state === 'stranger') {
      this.#refuse(id, 'not authenticated');
    } else if (order.kind === 'ping') {
      this.reply(id, { kind: 'ok', data: 'pong' });
    } else if (order.kind !== 'refused') {
      this.#user.onOrder(this, id, order);
    } else if (order.verdict === 'nok') {
      this.reply(id, { kind: 'nok', reason: order.reason });
    } else {
      this.#refuse(id, order.reason);
    }
  }

  #authenticate(id: string, order: Extract<Order, { kind: 'authenticate' }>): void {
    if (!isSame(order.secret, this.#options.secret)) {
      this.#options.log.warn({}, 'connection refused: incorrect secret');
      this.#refuse(id, 'incorrect secret');
      return;
    }
    this.#deadline.cancel();
    this.#reader.allow(largestFrameBytes);
    this.#state = 'application';
    this.#wasApplication = true;
    this.#tags = order.tags;
    this.reply(id, this.#user.welcome());
    this.#user.onAuthenticated(this);
  }

  /** A `NO` is the last that is said. */
  #refuse(id: string, reason: string): void {
    this.reply(id, { kind: 'no', reason });
    this.#part();
  }

  /** Says the rest and goes; a peer that does not close its side is not waited for long. */
  #part(): void {
    this.#state = 'closing';
    this.#deadline.cancel();
    this.#deadline = this.#options.clock.after(farewell, () => this.close());
    this.#socket.end();
  }

  #write(frame: Buffer): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#cork();
    this.#socket.write(frame);
    if (this.#socket.writableLength <= mostWaitingBytes) return;
    this.#options.log.error({}, 'connection closed: the application does not read');
    this.close();
  }

  /** What belongs to one turn of the event loop goes out in one system call; they are a tenth of all work. */
  #cork(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    setImmediate(() => this.#socket.uncork());
  }

  #onClose(): void {
    this.#state = 'closed';
    this.#deadline.cancel();
    if (this.#wasApplication) this.#user.onClosed(this);
  }
}

/** Digests have one length and so can be compared in constant time. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
