import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { fromUlaw, tone, toUlaw } from './goertzel.ts';

/**
 * The audio end of a scripted phone: answers RTP on `port` with an endless tone (PCMU, 20 ms) and
 * keeps what it hears. It waits for the first packet, so it needs no SDP.
 */
export class TonePhone {
  readonly #socket: Socket;
  readonly #heard: Buffer[] = [];
  /** Keys by the timestamps of their events, of payload type 101. */
  readonly #keys = new Map<number, number>();
  /** Sends nothing while set. */
  isMute = false;
  readonly #tone: Buffer;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  /** Packets of a key press that are to go out instead of the tone (RFC 4733, payload type 101). */
  #events: { readonly payload: Buffer; readonly timestamp: number }[] = [];

  private constructor(socket: Socket, frequencyHz: number) {
    this.#socket = socket;
    this.#tone = Buffer.from(Array.from(tone(frequencyHz, 8000), toUlaw));
    socket.on('message', (packet, from) => {
      const type = (packet[1] ?? 0) & 0x7f;
      if (type === 0) this.#heard.push(packet.subarray(12));
      if (type === 101) this.#keys.set(packet.readUInt32BE(4), packet[12] ?? 0);
      this.#timer ??= setInterval(() => this.#send(from.port, from.address), 20);
    });
  }

  static async open(port: number, frequencyHz = 440, address = '127.0.0.1'): Promise<TonePhone> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new TonePhone(socket, frequencyHz);
  }

  /** Everything heard so far, 8 kHz. */
  heard(): Int16Array {
    return Int16Array.from(Buffer.concat(this.#heard), fromUlaw);
  }

  /** Numbers of the keys that the other side pressed. */
  keys(): number[] {
    return [...this.#keys.values()];
  }

  /** Presses a key for 100 ms; its last packet goes out three times. */
  press(event: number): void {
    const timestamp = this.#sequence * 160;
    this.#events = [1, 2, 3, 4, 5, 5, 5].map((steps, index) => {
      const payload = Buffer.from([event, index < 4 ? 10 : 0x8a, 0, 0]);
      payload.writeUInt16BE(steps * 160, 2);
      return { payload, timestamp };
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #send(port: number, address: string): void {
    if (this.isMute) return;
    const event = this.#events.shift();
    const header = Buffer.from([0x80, event ? 101 : 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    header.writeUInt16BE(this.#sequence & 0xffff, 2);
    header.writeUInt32BE((event?.timestamp ?? this.#sequence * 160) >>> 0, 4);
    const at = (this.#sequence * 160) % 8000;
    this.#sequence += 1;
    const payload = event?.payload ?? this.#tone.subarray(at, at + 160);
    this.#socket.send([header, payload], port, address);
  }
}
