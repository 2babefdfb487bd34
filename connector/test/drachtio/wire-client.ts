import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameReader } from '../../src/drachtio/frame.ts';

/** A hand-written application: sends any bytes, collects what comes back. */
export class WireClient {
  readonly payloads: string[] = [];
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #isClosed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const payload of this.#reader.read(chunk)) this.payloads.push(payload.toString('utf8'));
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  /** Connected and authenticated; the reply is taken out. */
  static async authenticated(port: number, secret: string): Promise<WireClient> {
    const client = await WireClient.connect(port);
    client.send(`auth|authenticate|${secret}|`);
    await client.next();
    return client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** One frame. */
  send(payload: string): void {
    this.write(`${Buffer.byteLength(payload)}#${payload}`);
  }

  /** Stops reading, so that the far end's buffers fill. */
  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next payload, its own id replaced by `ID`; rejects after 5 s. */
  async next(): Promise<string> {
    await this.#until(() => this.payloads.length > 0);
    return (this.payloads.shift() ?? '').replace(/^[^|]*/, 'ID');
  }

  /** Resolves when the server has closed the connection; rejects after `limit`. */
  async closed(limit = 5_000): Promise<void> {
    await this.#until(() => this.#isClosed, limit);
  }

  async #until(holds: () => boolean, limit = 5_000): Promise<void> {
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, limit);
    try {
      while (!holds()) {
        if (isLate) throw new Error('the server did not do it in time');
        if (this.#isClosed) throw new Error('the server closed the connection');
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
  }
}
