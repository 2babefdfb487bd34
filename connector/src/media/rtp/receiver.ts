import { convert } from '../audio/g711.ts';
import type { Law } from '../law.ts';
import type { Address } from '../sdp/description.ts';
import type { Terms } from '../sdp/negotiate.ts';
import { closedLatch, latchPacket, openLatch } from './latch.ts';
import { RtpReader } from './packet.ts';
import { ReceptionStatistics } from './statistics.ts';
import { TelephoneEventReceiver } from './telephone-event.ts';

export interface ReceiverEvents {
  /** Audio in the line's law; `timestamp` is the packet's. */
  readonly onAudio: (audio: Buffer, timestamp: number) => void;
  readonly onDigit: (digit: string, duration: number) => void;
}

type Kind = Law | 'event' | 'comfort-noise';

const comfortNoiseType = 13;

/** Takes the packets of a call's peer: what is not RTP, not agreed or not from him is counted and dropped. */
export class RtpReceiver {
  readonly #events: ReceiverEvents;
  readonly #reader = new RtpReader();
  readonly #digits: TelephoneEventReceiver;
  readonly statistics = new ReceptionStatistics();
  #kinds: (Kind | undefined)[] = [];
  #latch = closedLatch;
  #lineLaw: Law = 'pcmu';
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
    const isNew = this.statistics.receive(reader, now);
    // Packets of an event are told apart by their timestamps, so a late one is looked at all the same.
    if (kind === 'event') {
      const at = { start: reader.payloadStart, timestamp: reader.timestamp };
      this.#digits.receive(packet.subarray(0, reader.payloadEnd), at, now);
    } else if (isNew && kind !== 'comfort-noise') this.#deliver(packet, kind);
  }

  /** To be called with every frame. */
  tick(now: number): void {
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

  #deliver(packet: Buffer, law: Law): void {
    const { payloadStart, payloadEnd, timestamp } = this.#reader;
    if (payloadStart === payloadEnd) return;
    const audio = packet.subarray(payloadStart, payloadEnd);
    if (law !== this.#lineLaw) convert(law, audio);
    this.#events.onAudio(audio, timestamp);
  }
}
