import { isIP } from 'node:net';
import { ConnectorError } from '../../base/errors.ts';
import type { Law } from '../law.ts';
import {
  type Address,
  type Direction,
  type Format,
  parseDescription,
  type Stream,
} from './description.ts';

/** Offer and answer for one G.711 audio stream (RFC 3264), as pure functions. */

export type Codec = 'PCMU' | 'PCMA';

/** Milliseconds of audio in each packet we send. */
export type Ptime = 20 | 30 | 40 | 60;

/** What both sides agreed on, seen from ours. */
export interface Terms {
  readonly law: Law;
  /** Payload type we send our audio with. */
  readonly payloadType: number;
  /** Payload type -> law of the audio we take: what was agreed, and static types not used otherwise. */
  readonly receivable: ReadonlyMap<number, Law>;
  /** Payload types of RFC 4733 events that may come. */
  readonly telephoneEvents: readonly number[];
  /** Where the peer wants RTP; undefined while it is 0.0.0.0 (the hold of RFC 2543). */
  readonly remote: Address | undefined;
  /** Where the peer wants RTCP; undefined as for `remote`. */
  readonly remoteRtcp: Address | undefined;
  readonly isMuxed: boolean;
  /** Ours: `recvonly` and `inactive` are a hold by the peer. */
  readonly direction: Direction;
  readonly ptime: Ptime;
}

/** An m= line of a description we write. */
export interface LocalStream {
  readonly type: string;
  readonly profile: string;
  /** Undefined: refused, written as port 0. */
  readonly audio: LocalAudio | undefined;
  readonly formatList: string;
}

export interface LocalAudio {
  readonly formats: readonly Format[];
  readonly direction: Direction;
  readonly ptime: Ptime;
  readonly isMuxed: boolean;
}

export interface Preferences {
  /** Codecs we take, best first. */
  readonly codecs: readonly Codec[];
  /** IP version of our media address. */
  readonly family: 4 | 6;
}

export interface Negotiation {
  readonly terms: Terms;
  readonly streams: readonly LocalStream[];
}

interface CodecFormat extends Format {
  readonly encoding: Codec;
}

/** The law a codec name stands for. */
export const lawOf = { PCMU: 'pcmu', PCMA: 'pcma' } as const satisfies Record<Codec, Law>;
const staticTypeOf = { PCMU: 0, PCMA: 8 } as const satisfies Record<Codec, number>;
// RFC 4733 has no static number; 101 is what nearly everybody uses.
const ownTelephoneEvent = 101;
const profiles: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);

const mirrored = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
} as const satisfies Record<Direction, Direction>;

/** Answers an offer. Throws SDP_INVALID, or MEDIA_NOT_ACCEPTABLE when no audio line fits. */
export function negotiate(offer: string, preferences: Preferences): Negotiation {
  const offered = parseDescription(offer);
  const chosen = offered.find((stream) => codecOf(stream, preferences) !== undefined);
  const codec = chosen && codecOf(chosen, preferences);
  if (!chosen || !codec) throw notAcceptable(offered);
  const event = telephoneEventOf(chosen);
  const formats = event ? [codec, event] : [codec];
  const terms = termsOf(chosen, { codec, events: event ? [event.payloadType] : [] });
  const audio: LocalAudio = {
    formats,
    direction: terms.direction,
    ptime: terms.ptime,
    isMuxed: terms.isMuxed,
  };
  return {
    terms,
    streams: offered.map((stream) => ({
      type: stream.type,
      profile: stream.profile,
      audio: stream === chosen ? audio : undefined,
      formatList: stream.formatList,
    })),
  };
}

/** The m= line of an offer of ours; `telephoneEvent` is the number used in the call so far. */
export function offeredAudio(
  codecs: readonly Codec[],
  kept: { readonly telephoneEvent: number | undefined; readonly isMuxed: boolean },
): LocalAudio {
  const formats: Format[] = codecs.map((name) => ({
    payloadType: staticTypeOf[name],
    encoding: name,
    clockRateHz: 8000,
  }));
  const event = {
    payloadType: kept.telephoneEvent ?? ownTelephoneEvent,
    encoding: 'TELEPHONE-EVENT',
    clockRateHz: 8000,
  };
  return {
    formats: [...formats, event],
    direction: 'sendrecv',
    ptime: 20,
    isMuxed: kept.isMuxed,
  };
}

/** Reads the answer to an offer of ours. Throws SDP_INVALID or MEDIA_NOT_ACCEPTABLE. */
export function acceptAnswer(
  answer: string,
  offered: readonly LocalStream[],
  preferences: Preferences,
): Terms {
  const streams = parseDescription(answer);
  // §6: an answer has the m= lines of the offer, in its order.
  const index = offered.findIndex((stream) => stream.audio !== undefined);
  const stream = streams[index];
  const codec = stream && firstCodecOf(stream, preferences);
  if (!stream || !codec) throw notAcceptable(streams);
  const own = offered[index]?.audio?.formats.find(isEvent)?.payloadType;
  const event = telephoneEventOf(stream)?.payloadType;
  // §5.1: what we receive carries the numbers of our offer; some send with those of their answer.
  const events = event === undefined ? [] : [...new Set([own ?? event, event])];
  return termsOf(stream, { codec, events });
}

function termsOf(
  stream: Stream,
  chosen: { readonly codec: CodecFormat; readonly events: readonly number[] },
): Terms {
  const { codec, events } = chosen;
  const law = lawOf[codec.encoding];
  const remote = isUnspecified(stream.address) ? undefined : addressOf(stream);
  return {
    law,
    payloadType: codec.payloadType,
    receivable: receivableOf(stream, codec),
    telephoneEvents: events,
    remote,
    remoteRtcp: remote && (stream.hasRtcpMux ? remote : (stream.rtcp ?? nextPort(remote))),
    isMuxed: stream.hasRtcpMux,
    direction: directionOf(stream),
    ptime: ptimeOf(stream),
  };
}

function addressOf(stream: Stream): Address | undefined {
  return stream.address === undefined ? undefined : { address: stream.address, port: stream.port };
}

// RFC 3550 §11: RTCP is on the next higher port.
function nextPort(rtp: Address): Address | undefined {
  return rtp.port < 65_535 ? { address: rtp.address, port: rtp.port + 1 } : undefined;
}

// RFC 3264 §8.4: 0.0.0.0 says "do not send to me", the old way to hold.
function directionOf(stream: Stream): Direction {
  const direction = mirrored[stream.direction];
  if (!isUnspecified(stream.address)) return direction;
  return direction === 'sendrecv' || direction === 'recvonly' ? 'recvonly' : 'inactive';
}

function receivableOf(stream: Stream, codec: CodecFormat): ReadonlyMap<number, Law> {
  const laws = new Map<number, Law>();
  for (const name of ['PCMU', 'PCMA'] as const) {
    const type = staticTypeOf[name];
    const named = stream.formats.find((format) => format.payloadType === type);
    if (!named || named.encoding === name) laws.set(type, lawOf[name]);
  }
  return laws.set(codec.payloadType, lawOf[codec.encoding]);
}

function codecOf(stream: Stream, preferences: Preferences): CodecFormat | undefined {
  if (!isUsable(stream, preferences.family)) return undefined;
  const usable = stream.formats.filter(isCodec);
  for (const name of preferences.codecs) {
    const format = usable.find((entry) => entry.encoding === name);
    if (format) return format;
  }
  return undefined;
}

function firstCodecOf(stream: Stream, preferences: Preferences): CodecFormat | undefined {
  if (!isUsable(stream, preferences.family)) return undefined;
  return stream.formats
    .filter(isCodec)
    .find((entry) => preferences.codecs.includes(entry.encoding));
}

function isCodec(format: Format): format is CodecFormat {
  return format.encoding in lawOf && format.clockRateHz === 8000;
}

function isUsable(stream: Stream, family: 4 | 6): boolean {
  return (
    stream.type === 'audio' &&
    stream.port !== 0 &&
    profiles.has(stream.profile) &&
    stream.address !== undefined &&
    isIP(stream.address) === family
  );
}

// The clock of events is that of the audio they interrupt (RFC 4733 §2.1): 16000 or 48000 is for others.
function telephoneEventOf(stream: Stream): Format | undefined {
  return stream.formats.find((format) => isEvent(format) && format.clockRateHz === 8000);
}

/** Whether a format carries key presses rather than sound. */
export function isEvent(format: Format): boolean {
  return format.encoding === 'TELEPHONE-EVENT';
}

function ptimeOf(stream: Stream): Ptime {
  const { ptime, maxPtime } = stream;
  if (maxPtime !== undefined && ptime !== undefined && ptime > maxPtime) return 20;
  return ptime === 30 || ptime === 40 || ptime === 60 ? ptime : 20;
}

function isUnspecified(address: string | undefined): boolean {
  return address === '0.0.0.0' || address === '::';
}

function notAcceptable(streams: readonly Stream[]): ConnectorError {
  const audio = streams.filter((stream) => stream.type === 'audio' && stream.port !== 0);
  const reason = (() => {
    if (audio.length === 0) return 'no audio';
    if (!audio.some((stream) => profiles.has(stream.profile))) return 'no plain RTP (RTP/AVP)';
    if (!audio.some((stream) => stream.address !== undefined)) return 'no usable address';
    return 'no common codec or address family';
  })();
  return new ConnectorError('MEDIA_NOT_ACCEPTABLE', `SDP: ${reason}`);
}
