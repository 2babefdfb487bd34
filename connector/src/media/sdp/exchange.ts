import { type CodecName, codecTable, isCodecName } from '../audio/codecs.ts';
import {
  acceptAnswer,
  type LocalStream,
  negotiate,
  offeredAudio,
  type Preferences,
  type Terms,
} from './negotiate.ts';
import { DescriptionWriter, type Local } from './writer.ts';

export interface Answer {
  readonly text: string;
  readonly terms: Terms;
}

/** The offers and answers of one call. A refused one changes nothing (RFC 3261 §14.2). */
export class OfferAnswer {
  readonly #preferences: Preferences;
  readonly #writer: DescriptionWriter;
  /** The m= lines of our last description: a later offer must keep them all (RFC 3264 §8). */
  #streams: readonly LocalStream[] = [];
  #terms: Terms | undefined;
  /** The payload types we wrote for codecs so far. */
  readonly #numbers = new Map<CodecName, number>();

  constructor(local: Local, preferences: Preferences) {
    this.#preferences = preferences;
    this.#writer = new DescriptionWriter(local);
  }

  /** Throws SDP_INVALID or MEDIA_NOT_ACCEPTABLE. */
  answer(offer: string): Answer {
    const { terms, streams } = negotiate(offer, this.#preferences);
    this.#streams = streams;
    this.#terms = terms;
    this.#numbers.set(terms.codec, terms.payloadType);
    return { text: this.#writer.write(streams), terms };
  }

  offer(): string {
    const audio = offeredAudio(this.#preferences.codecs, {
      payloadTypes: this.#numbers,
      telephoneEvents: this.#terms?.telephoneEvents ?? [],
      clockRateHz: this.#terms && codecTable[this.#terms.codec].clockRateHz,
      isMuxed: this.#terms?.isMuxed ?? false,
    });
    for (const { encoding, payloadType } of audio.formats)
      if (isCodecName(encoding)) this.#numbers.set(encoding, payloadType);
    this.#streams = this.#streams.some((stream) => stream.audio)
      ? this.#streams.map((stream) => (stream.audio ? { ...stream, audio } : stream))
      : [{ type: 'audio', profile: 'RTP/AVP', audio, formatList: '' }];
    return this.#writer.write(this.#streams);
  }

  /** Throws SDP_INVALID or MEDIA_NOT_ACCEPTABLE. */
  accept(answer: string): Terms {
    this.#terms = acceptAnswer(answer, this.#streams, this.#preferences);
    return this.#terms;
  }
}
