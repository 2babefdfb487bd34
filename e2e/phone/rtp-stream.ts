import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, type Law } from './g711.ts';
import { Hearing } from './hearing.ts';

/** 20 ms. */
const frameSamples = 160;
const frameTime = 20;
/** A last packet of an event is sent three times (RFC 4733 §2.5.1.4). */
const endPackets = 3;
/** Gap between two keys, in frames. */
const keyPause = 4;

const keys = '0123456789*#ABCD';

export interface RtpTarget {
  readonly address: string;
  readonly port: number;
  readonly law: Law;
  readonly events: number | undefined;
}

interface KeyPress {
  readonly digit: number;
  readonly frames: number;
  sent: number;
  timestamp: number;
}

/** What came in, counted. */
export interface RtpFigures {
  received: number;
  /** Sequence numbers that never came, or came after the next. */
  lost: number;
  /** Packets of another payload type, version or shape. */
  strange: number;
  /** Key presses (RFC 4733) by their event numbers. */
  keys: string;
}

/** One RTP stream each way (RFC 3550, 3551, 4733), a packet each 20 ms by the clock while it may send. */
export class RtpStream {
  readonly hearing = new Hearing();
  readonly figures: RtpFigures = { received: 0, lost: 0, strange: 0, keys: '' };
  /** Whether we send, and whether we take what comes: a held call does neither. */
  isSending = true;
  readonly #socket: Socket;
  #target: RtpTarget | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #ssrc = randomInt(2 ** 32);
  #sequence = randomInt(2 ** 16);
  #timestamp = randomInt(2 ** 32);
  #frames = 0;
  #isFirst = true;
  readonly #audio: Int16Array[] = [];
  readonly #presses: KeyPress[] = [];
  #pause = 0;
  #onSent: (() => void)[] = [];
  #origin: { ssrc: number; timestamp: number; position: number } | undefined;
  #expected: number | undefined;
  #eventTimestamp: number | undefined;

  /** Bound to an even port of the system's choice. */
  static async open(address: string): Promise<RtpStream> {
    for (;;) {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      socket.bind(0, address);
      await once(socket, 'listening');
      if (socket.address().port % 2 === 0) return new RtpStream(socket);
      socket.close();
    }
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => this.#received(packet, performance.now()));
    // The other side may be gone already; that is for SIP to find out.
    socket.on('error', () => undefined);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get law(): Law | undefined {
    return this.#target?.law;
  }

  /** Where to send; starts the clock at the first call. */
  setTarget(target: RtpTarget): void {
    this.#target = target;
    if (this.#timer) return;
    const began = performance.now();
    const tick = () => {
      while (this.#frames * frameTime <= performance.now() - began) this.#sendFrame();
      const due = began + this.#frames * frameTime - performance.now();
      this.#timer = setTimeout(tick, Math.max(1, due));
    };
    tick();
  }

  /** Queues speech; resolves when the last packet of it is out. */
  play(samples: Int16Array): Promise<void> {
    for (let at = 0; at < samples.length; at += frameSamples) {
      const frame = new Int16Array(frameSamples);
      frame.set(samples.subarray(at, at + frameSamples));
      this.#audio.push(frame);
    }
    return new Promise((resolve) => this.#onSent.push(resolve));
  }

  /** Presses keys one after the other, `duration` ms each. */
  press(digits: string, duration = 160): void {
    for (const key of digits) {
      const digit = keys.indexOf(key.toUpperCase());
      if (digit === -1) throw new Error(`"${key}" is no key`);
      const frames = Math.max(1, Math.round(duration / frameTime));
      this.#presses.push({ digit, frames, sent: 0, timestamp: 0 });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#target = undefined;
    for (const resolve of this.#onSent) resolve();
    this.#onSent = [];
    this.#socket.close();
  }

  #sendFrame(): void {
    this.#frames++;
    const timestamp = this.#timestamp;
    this.#timestamp = (this.#timestamp + frameSamples) >>> 0;
    const target = this.#target;
    if (!target || !this.isSending) return;
    const [press] = this.#presses;
    if (this.#pause > 0) this.#pause--;
    else if (press && target.events !== undefined) {
      this.#sendEvent(press, { target, timestamp, type: target.events });
      return;
    }
    const samples = this.#audio.shift() ?? new Int16Array(frameSamples);
    this.#send(target, {
      type: target.law === 'pcmu' ? 0 : 8,
      timestamp,
      marker: this.#isFirst,
      payload: encode(target.law, samples),
    });
    this.#isFirst = false;
    if (this.#audio.length === 0) for (const resolve of this.#onSent.splice(0)) resolve();
  }

  /** Event, end bit and volume, duration so far; the timestamp is that of the beginning. */
  #sendEvent(
    press: KeyPress,
    { target, timestamp, type }: { target: RtpTarget; timestamp: number; type: number },
  ): void {
    if (press.sent === 0) press.timestamp = timestamp;
    press.sent++;
    const isEnd = press.sent > press.frames;
    const payload = Buffer.alloc(4);
    payload[0] = press.digit;
    payload[1] = (isEnd ? 0x80 : 0) | 10;
    payload.writeUInt16BE(Math.min(press.sent, press.frames) * frameSamples, 2);
    const marker = press.sent === 1;
    for (let copy = 0; copy < (isEnd ? endPackets : 1); copy++)
      this.#send(target, { type, timestamp: press.timestamp, marker, payload });
    if (!isEnd) return;
    this.#presses.shift();
    this.#pause = keyPause;
  }

  #send(
    target: RtpTarget,
    of: { type: number; timestamp: number; marker: boolean; payload: Buffer },
  ): void {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = (of.marker ? 0x80 : 0) | of.type;
    head.writeUInt16BE(this.#sequence, 2);
    head.writeUInt32BE(of.timestamp, 4);
    head.writeUInt32BE(this.#ssrc, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#socket.send(Buffer.concat([head, of.payload]), target.port, target.address);
  }

  #received(packet: Buffer, at: number): void {
    const target = this.#target;
    if (packet.length < 13 || packet[0]! >> 6 !== 2) {
      this.figures.strange++;
      return;
    }
    const type = packet[1]! & 0x7f;
    const offset = 12 + 4 * (packet[0]! & 0x0f);
    const padding = packet[0]! & 0x20 ? packet.at(-1)! : 0;
    const payload = packet.subarray(offset, packet.length - padding);
    const timestamp = packet.readUInt32BE(4);
    this.#count(packet.readUInt16BE(2));
    if (type === 0 || type === 8)
      this.#hear(payload, { type, timestamp, ssrc: packet.readUInt32BE(8), at });
    else if (type === target?.events) this.#keyHeard(payload, timestamp);
    else this.figures.strange++;
  }

  #count(sequence: number): void {
    this.figures.received++;
    const ahead = this.#expected === undefined ? 0 : (sequence - this.#expected) & 0xffff;
    if (ahead >= 0x8000) return;
    // A new stream may begin anywhere.
    if (ahead < 1000) this.figures.lost += ahead;
    this.#expected = (sequence + 1) & 0xffff;
  }

  /** Timestamps say where a packet belongs; a jump, or another source, begins anew at the present. */
  #hear(
    payload: Buffer,
    { type, timestamp, ssrc, at }: { type: number; timestamp: number; ssrc: number; at: number },
  ): void {
    const samples = decode(type === 0 ? 'pcmu' : 'pcma', payload);
    const distance = this.#origin ? (timestamp - this.#origin.timestamp) | 0 : 0;
    const position = (this.#origin?.position ?? 0) + distance;
    const isContinued =
      this.#origin?.ssrc === ssrc && position >= 0 && position < this.hearing.length + 80_000;
    if (!isContinued) this.#origin = { ssrc, timestamp, position: this.hearing.length };
    this.hearing.add(samples, isContinued ? position : this.hearing.length, at);
  }

  #keyHeard(payload: Buffer, timestamp: number): void {
    if (timestamp === this.#eventTimestamp || payload.length < 4) return;
    this.#eventTimestamp = timestamp;
    this.figures.keys += keys[payload[0]!] ?? '?';
  }
}
