import { convert } from '../audio/g711.ts';
import type { Law } from '../law.ts';
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
  /** Audio in the line's law, in order, with what fills a loss; `timestamp` is that of its first sample. */
  readonly onAudio: (audio: Buffer, timestamp: number) => void;
  readonly onDigit: (digit: string, duration: number) => void;
}

type Kind = Law | 'event' | 'comfort-noise';

/** A packet in its place: without audio it is a key's, or comfort noise. */
interface Arrival {
  readonly audio: Buffer | undefined;
  readonly timestamp: number;
}

const comfortNoiseType = 13;
// A longer gap is an outage: to fill it would hand on a burst that nobody can use.
const maxFilledSamples = 8000;
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
  #lineLaw: Law = 'pcmu';
  /** Where the audio passed on so far ends. */
  #audioEnd: number | undefined;
  readonly #lastAudio = Buffer.alloc(rememberedSamples);
  #lastSize = 0;
  /** Samples that were made up for what was lost. */
  concealedSamples = 0;
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

  configure(terms: Terms, lineLaw: Law, now: number): void {
    const kinds: (Kind | undefined)[] = [];
    kinds[comfortNoiseType] = 'comfort-noise';
    for (const [type, law] of terms.receivable) kinds[type] = law;
    for (const type of terms.telephoneEvents) kinds[type] = 'event';
    this.#kinds = kinds;
    this.#lineLaw = lineLaw;
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
      const at = { start: reader.payloadStart, timestamp: reader.timestamp };
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
    if (!isAudio) return { audio: undefined, timestamp };
    const audio = packet.subarray(payloadStart, payloadEnd);
    if (kind !== this.#lineLaw) convert(kind, audio);
    return { audio, timestamp };
  }

  /** Another source: what is held of the old one goes first, and its time says nothing any more. */
  #restart(): void {
    this.#order.restart();
    this.#audioEnd = undefined;
  }

  #onInOrder({ audio, timestamp }: Arrival, missing: number): void {
    // After a key or comfort noise the last sound is over: a loss there is silence.
    if (!audio) {
      this.#lastSize = 0;
      return;
    }
    if (missing > 0) this.#fill(timestamp);
    this.#lastSize = audio.copy(this.#lastAudio, 0, Math.max(0, audio.length - rememberedSamples));
    this.#audioEnd = (timestamp + audio.length) >>> 0;
    this.#events.onAudio(audio, timestamp);
  }

  /** As much audio as was lost, so that time goes on; a pause of the sender (DTX) is none. */
  #fill(timestamp: number): void {
    if (this.#audioEnd === undefined) return;
    const samples = timestampDistance(this.#audioEnd, timestamp);
    if (samples <= 0 || samples > maxFilledSamples) return;
    this.concealedSamples += samples;
    const last = this.#lastAudio.subarray(0, this.#lastSize);
    this.#events.onAudio(conceal(this.#lineLaw, last, samples), this.#audioEnd);
  }
}
