import {
  type CodecName,
  codecTable,
  isPassThrough,
  lawOfCodec,
  type PayloadDecoder,
} from '../audio/codecs.ts';
import { convert } from '../audio/g711.ts';
import { type AudioFormat, bytesPerMillisecondOf, isLaw } from '../format.ts';
import type { Address } from '../sdp/description.ts';
import type { Terms } from '../sdp/negotiate.ts';
import { conceal } from './conceal.ts';
import { closedLatch, latchPacket, openLatch } from './latch.ts';
import { RtpReader } from './packet.ts';
import { ReorderBuffer } from './reorder.ts';
import { timestampDistance } from './sequence.ts';
import { ReceptionStatistics } from './statistics.ts';
import { TelephoneEventReceiver } from './telephone-event.ts';

export interface ReceiverEvents {
  /** Audio in the line's format, in order, with what fills a loss; `timestamp` is that of its first sample. */
  readonly onAudio: (audio: Buffer, timestamp: number, unitsPerMs: number) => void;
  readonly onDigit: (digit: string, duration: number) => void;
}

type Kind = CodecName | 'event' | 'comfort-noise';

/** Where the audio goes. */
export interface ReceivingLine {
  readonly format: AudioFormat;
  readonly createDecoder: (codec: CodecName) => PayloadDecoder;
}

interface Gap {
  /** Timestamp. */
  readonly begin: number;
  /** ms. */
  readonly duration: number;
}

/** A packet in its place: without audio it is a key's, or comfort noise. */
interface Arrival {
  readonly audio: Buffer | undefined;
  readonly kind: Kind;
  readonly timestamp: number;
}

const comfortNoiseType = 13;
// A longer gap is an outage: to fill it would hand on a burst that nobody can use.
const maxFilled = 1000;
// ms; what nearly everybody sends.
const usualFrame = 20;
// 60 ms: what a longer packet ends with is enough to go on from.
const rememberedSamples = 480;

/** Takes the packets of a call's peer: what is not RTP, not agreed or not from him is counted and dropped. */
export class RtpReceiver {
  readonly #events: ReceiverEvents;
  readonly #reader = new RtpReader();
  readonly #digits: TelephoneEventReceiver;
  readonly statistics = new ReceptionStatistics();
  readonly #order = new ReorderBuffer<Arrival>({
    onItem: (arrival, missing) => this.#onInOrder(arrival, missing),
  });
  #kinds: (Kind | undefined)[] = [];
  #latch = closedLatch;
  #format: AudioFormat = 'pcmu';
  #createDecoder: ((codec: CodecName) => PayloadDecoder) | undefined;
  /** The codec that is being decoded; G.711 on a line of G.711 needs none. */
  #decoder: { readonly codec: CodecName; readonly of: PayloadDecoder } | undefined;
  /** Of the RTP clock. */
  #unitsPerMs = 8;
  /** Where the audio passed on so far ends. */
  #audioEnd: number | undefined;
  readonly #lastAudio = Buffer.alloc(rememberedSamples);
  #lastSize = 0;
  /** ms that were made up for what was lost. */
  concealed = 0;
  packets = 0;
  /** When the last packet of the peer came, be it audio, a key or comfort noise. */
  heardAt = Number.NEGATIVE_INFINITY;
  sizeBytes = 0;
  /** Packets from elsewhere. */
  strangers = 0;
  /** Packets that were no RTP or of a payload type that was not agreed. */
  malformed = 0;

  constructor(events: ReceiverEvents) {
    this.#events = events;
    this.#digits = new TelephoneEventReceiver(events.onDigit);
  }

  /** Where to send. */
  get target(): Address | undefined {
    return this.#latch.target;
  }

  /** `line`: its format, and a decoder into it for what is not G.711 on a line of G.711. */
  configure(terms: Terms, line: ReceivingLine, now: number): void {
    const kinds: (Kind | undefined)[] = [];
    kinds[comfortNoiseType] = 'comfort-noise';
    for (const [type, codec] of terms.receivable) kinds[type] = codec;
    for (const type of terms.telephoneEvents) kinds[type] = 'event';
    this.#kinds = kinds;
    this.#format = line.format;
    this.#createDecoder = line.createDecoder;
    this.#useClock(codecTable[terms.codec].clockRateHz / 1000);
    this.#latch = openLatch(this.#latch, terms.remote, now);
  }

  receive(packet: Buffer, from: Address, now: number): void {
    const reader = this.#reader;
    const kind = reader.read(packet) ? this.#kinds[reader.payloadType] : undefined;
    if (!kind) {
      this.malformed += 1;
      return;
    }
    if (!this.#isFromPeer(from, now)) {
      this.strangers += 1;
      return;
    }
    this.packets += 1;
    this.heardAt = now;
    this.sizeBytes += reader.payloadEnd - reader.payloadStart;
    const { ssrc } = this.statistics;
    const isNew = this.statistics.receive(reader, now);
    if (reader.ssrc !== ssrc) this.#restart();
    // Packets of an event are told apart by their timestamps, so a late one is looked at all the same.
    if (kind === 'event') {
      const { payloadStart: start, timestamp, ssrc: source } = reader;
      const at = { start, timestamp, ssrc: source };
      this.#digits.receive(packet.subarray(0, reader.payloadEnd), at, now);
    }
    if (isNew) this.#order.push(reader.sequence, this.#arrivalOf(packet, kind), now);
  }

  /** Packets that came when their place had been given up. */
  get late(): number {
    return this.#order.late;
  }

  /** To be called with every frame. */
  tick(now: number): void {
    this.#order.expire(now);
    this.#digits.expire(now);
  }

  /** Silence of `duration` ms was heard in place of what did not come: that time is not filled again. */
  standIn(duration: number): void {
    if (this.#audioEnd === undefined) return;
    this.#audioEnd = (this.#audioEnd + Math.round(duration * this.#unitsPerMs)) >>> 0;
    this.#lastSize = 0;
  }

  /** Whether RTCP from this address can be the peer's: ports differ, and NAT may change them. */
  isPeerHost(address: string): boolean {
    const { target, announced } = this.#latch;
    return address === target?.address || address === announced?.address;
  }

  #isFromPeer(from: Address, now: number): boolean {
    const { ssrc, sequence } = this.#reader;
    const [latch, verdict] = latchPacket(
      this.#latch,
      { address: from.address, port: from.port, ssrc, sequence },
      now,
    );
    this.#latch = latch;
    return verdict === 'accepted';
  }

  #arrivalOf(packet: Buffer, kind: Kind): Arrival {
    const { payloadStart, payloadEnd, timestamp } = this.#reader;
    const isAudio = kind !== 'event' && kind !== 'comfort-noise' && payloadStart < payloadEnd;
    if (!isAudio) return { audio: undefined, kind, timestamp };
    const audio = packet.subarray(payloadStart, payloadEnd);
    const law = lawOfCodec(kind);
    if (law && isLaw(this.#format) && law !== this.#format) convert(law, audio);
    return { audio, kind, timestamp };
  }

  /** Another source: what is held of the old one goes first, and its time says nothing any more. */
  #restart(): void {
    this.#order.restart();
    this.#audioEnd = undefined;
  }

  #useClock(unitsPerMs: number): void {
    if (unitsPerMs === this.#unitsPerMs) return;
    this.#unitsPerMs = unitsPerMs;
    this.#audioEnd = undefined;
    this.statistics.unitsPerMs = unitsPerMs;
    this.#digits.unitsPerMs = unitsPerMs;
  }

  /** Undefined where the payload is the line's audio as it is. */
  #decoderOf(kind: Kind): PayloadDecoder | undefined {
    if (kind === 'event' || kind === 'comfort-noise') return undefined;
    if (isPassThrough(kind, this.#format)) return undefined;
    if (this.#decoder?.codec !== kind) {
      const of = this.#createDecoder?.(kind);
      this.#decoder = of && { codec: kind, of };
    }
    return this.#decoder?.of;
  }

  #onInOrder(arrival: Arrival, missing: number): void {
    const decoder = this.#decoderOf(arrival.kind);
    if (decoder) this.#decode(decoder, arrival, missing);
    else this.#pass(arrival, missing);
  }

  #decode(decoder: PayloadDecoder, { audio, timestamp }: Arrival, missing: number): void {
    if (!audio) return;
    if (missing > 0) this.#concealBy(decoder, timestamp);
    this.#deliver(decoder.decode(audio), timestamp);
  }

  #concealBy(decoder: PayloadDecoder, timestamp: number): void {
    const gap = this.#gapBefore(timestamp);
    if (!gap) return;
    let at = gap.begin;
    for (let done = 0; done < gap.duration; at = this.#audioEnd ?? at) {
      const audio = decoder.conceal(Math.min(gap.duration - done, usualFrame));
      if (audio.length === 0) return;
      this.#deliver(audio, at);
      const length = audio.length / bytesPerMillisecondOf(this.#format);
      this.concealed += length;
      done += length;
    }
  }

  #deliver(audio: Buffer, timestamp: number): void {
    const duration = audio.length / bytesPerMillisecondOf(this.#format);
    this.#audioEnd = (timestamp + Math.round(duration * this.#unitsPerMs)) >>> 0;
    this.#events.onAudio(audio, timestamp, this.#unitsPerMs);
  }

  /** From the end of what was passed on, in ms; undefined for none, and for an outage. */
  #gapBefore(timestamp: number): Gap | undefined {
    if (this.#audioEnd === undefined) return undefined;
    const begin = this.#audioEnd;
    const duration = timestampDistance(begin, timestamp) / this.#unitsPerMs;
    return duration > 0 && duration <= maxFilled ? { begin, duration } : undefined;
  }

  #pass({ audio, timestamp }: Arrival, missing: number): void {
    // After a key or comfort noise the last sound is over: a loss there is silence.
    if (!audio) {
      this.#lastSize = 0;
      return;
    }
    if (missing > 0) this.#fill(timestamp);
    this.#lastSize = audio.copy(this.#lastAudio, 0, Math.max(0, audio.length - rememberedSamples));
    this.#deliver(audio, timestamp);
  }

  /** As much audio as was lost, so that time goes on; a pause of the sender (DTX) is none. */
  #fill(timestamp: number): void {
    const gap = this.#gapBefore(timestamp);
    if (!gap || !isLaw(this.#format)) return;
    this.concealed += gap.duration;
    const last = this.#lastAudio.subarray(0, this.#lastSize);
    this.#deliver(conceal(this.#format, last, gap.duration * 8), gap.begin);
  }
}
