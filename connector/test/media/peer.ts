import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { LineListener } from '../../src/media/line.ts';
import { MediaPlane } from '../../src/media/media-plane.ts';
import { fromUlaw, tone, toneShare, toUlaw } from '../support/goertzel.ts';

/** A media plane of the tests, on loopback; `offset` keeps test files apart. */
export function mediaPlane(offset: number, size = 100): MediaPlane {
  const min = 28_000 + offset;
  return new MediaPlane({
    address: '127.0.0.1',
    ports: { min, max: min + size - 1 },
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
}

/** A listener that keeps what it hears, and counts the frames of silence that stand for a stream that has stopped. */
export class Ear implements LineListener {
  readonly #heard: Buffer[] = [];
  readonly digits: { readonly digit: string; readonly duration: number }[] = [];
  played = 0;
  absent = 0;
  onHeard: ((audio: Buffer) => void) | undefined;

  onAudio(audio: Buffer): void {
    if (isSilence(audio)) {
      this.absent += 1;
      return;
    }
    this.#heard.push(audio);
    this.onHeard?.(audio);
  }

  onDigit(digit: string, duration: number): void {
    this.digits.push({ digit, duration });
  }

  onPlayed(): void {
    this.played += 1;
  }

  get packets(): number {
    return this.#heard.length;
  }

  /** Everything since the last `forget`. */
  get audio(): Buffer {
    return Buffer.concat(this.#heard);
  }

  forget(): void {
    this.#heard.length = 0;
  }
}

/** Silence as we make it, in either law. */
function isSilence(audio: Buffer): boolean {
  const [first] = audio;
  return (first === 0xff || first === 0xd5) && audio.every((byte) => byte === first);
}

/** µ-law of a sine. */
export function ulawTone(frequencyHz: number, duration: number): Buffer {
  return Buffer.from(Array.from(tone(frequencyHz, duration * 8), toUlaw));
}

/** Share of the energy of µ-law audio that is at a frequency. */
export function ulawShare(audio: Buffer, frequencyHz: number): number {
  return toneShare(Int16Array.from(audio, fromUlaw), frequencyHz);
}

export interface RtpPacket {
  readonly from: number;
  readonly payloadType: number;
  readonly hasMarker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
  readonly at: number;
}

/** A bare UDP socket that speaks RTP, made without the product's code. */
export class RtpPeer {
  readonly #socket: Socket;
  readonly received: RtpPacket[] = [];
  readonly raw: Buffer[] = [];
  sequence = 65_500;
  timestamp = 0xffff_f000;
  ssrc = 0x5eed;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet, from) => {
      this.raw.push(packet);
      if (packet.length < 12) return;
      this.received.push({
        from: from.port,
        payloadType: packet.readUInt8(1) & 0x7f,
        hasMarker: packet.readUInt8(1) > 0x7f,
        sequence: packet.readUInt16BE(2),
        timestamp: packet.readUInt32BE(4),
        ssrc: packet.readUInt32BE(8),
        payload: packet.subarray(12),
        at: performance.now(),
      });
    });
  }

  static async open(port = 0): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new RtpPeer(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** One packet; sequence and timestamp go on by themselves. */
  send(port: number, payload: Buffer, type = 0): void {
    this.sendAt(port, { payload, type, timestamp: this.timestamp });
    this.timestamp = (this.timestamp + payload.length) % 0x1_0000_0000;
  }

  sendAt(
    port: number,
    packet: { readonly payload: Buffer; readonly type: number; readonly timestamp: number },
  ): void {
    const header = Buffer.alloc(12);
    header.writeUInt8(0x80, 0);
    header.writeUInt8(packet.type, 1);
    header.writeUInt16BE(this.sequence, 2);
    header.writeUInt32BE(packet.timestamp, 4);
    header.writeUInt32BE(this.ssrc, 8);
    this.sequence = (this.sequence + 1) % 0x1_0000;
    this.sendRaw(port, Buffer.concat([header, packet.payload]));
  }

  sendRaw(port: number, packet: Buffer): void {
    this.#socket.send(packet, port, '127.0.0.1');
  }

  offer(...lines: readonly string[]): string {
    return offerOf({ port: this.port, lines });
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** An offer of PCMU, PCMA and events with number 96, or of other formats. */
export function offerOf(options: {
  readonly port: number;
  readonly address?: string;
  readonly formats?: string;
  readonly lines?: readonly string[];
}): string {
  const { port, address = '127.0.0.1', formats = '0 8 96', lines = [] } = options;
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    'a=rtpmap:96 telephone-event/8000',
    ...lines,
    '',
  ].join('\r\n');
}

/** The port of the audio line of a description. */
export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
}

/** Sends every 20 ms, by the clock, until it is stopped. */
export function every20ms(send: (index: number) => void): () => void {
  const start = performance.now();
  let index = 0;
  const timer = setInterval(() => {
    for (; index * 20 <= performance.now() - start; index++) send(index);
  }, 5);
  return () => clearInterval(timer);
}
