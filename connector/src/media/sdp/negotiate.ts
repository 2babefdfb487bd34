import { isIP } from 'node:net';
import { ConnectorError } from '../../base/errors.ts';
import { type CodecName, codecTable, isCodecName } from '../audio/codecs.ts';
import {
  type Address,
  type Direction,
  type Format,
  parseDescription,
  type Stream,
} from './description.ts';

/** Offer and answer for one audio stream (RFC 3264), as pure functions. */

/** Milliseconds of audio in each packet we send. */
export type Ptime = 20 | 30 | 40 | 60;

/** What both sides agreed on, seen from ours. */
export interface Terms {
  readonly codec: CodecName;
  /** Payload type we send our audio with. */
  readonly payloadType: number;
  /** Payload type -> codec of the audio we take: what was agreed, and static types not used otherwise. */
  readonly receivable: ReadonlyMap<number, CodecName>;
  /** The peer's parameters of the codec say that it uses the FEC within Opus (RFC 7587 §6.1). */
  readonly wantsFec: boolean;
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
  readonly codecs: readonly CodecName[];
  /** IP version of our media address. */
  readonly family: 4 | 6;
}

export interface Negotiation {
  readonly terms: Terms;
  readonly streams: readonly LocalStream[];
}

interface CodecFormat extends Format {
  readonly encoding: CodecName;
}

/** Numbers of an offer of ours for what has no static one. */
const ownDynamic = 96;
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
  const event = telephoneEventOf(chosen, codec);
  const formats = event ? [written(codec), event] : [written(codec)];
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

/** Payload types that the call has used so far: RFC 3264 §8.3.2 forbids to give them another meaning. */
export interface KeptNumbers {
  readonly payloadTypes: ReadonlyMap<CodecName, number>;
  readonly telephoneEvents: readonly number[];
  /** Of those events. */
  readonly clockRateHz: number | undefined;
  readonly isMuxed: boolean;
}

function freeNumber(from: number, taken: readonly number[]): number {
  let number = from;
  while (taken.includes(number)) number++;
  return number;
}

/** A format of ours with all that its rtpmap and fmtp say. */
function written(format: {
  readonly payloadType: number;
  readonly encoding: CodecName;
}): CodecFormat {
  const { clockRateHz, channels, fmtp } = codecTable[format.encoding];
  return {
    payloadType: format.payloadType,
    encoding: format.encoding,
    clockRateHz,
    ...(channels === undefined ? {} : { channels }),
    ...(fmtp === undefined ? {} : { fmtp }),
  };
}

/** The m= line of an offer of ours. */
export function offeredAudio(codecs: readonly CodecName[], kept: KeptNumbers): LocalAudio {
  const formats = codecs.map((name) => {
    const own = codecTable[name].payloadType ?? freeNumber(ownDynamic, kept.telephoneEvents);
    return written({ payloadType: kept.payloadTypes.get(name) ?? own, encoding: name });
  });
  const taken = formats.map((format) => format.payloadType);
  const events: Format[] = [];
  // RFC 4733 §2.1: one for each clock that the audio may have.
  for (const clockRateHz of new Set(formats.map((format) => format.clockRateHz))) {
    const known = kept.clockRateHz === clockRateHz ? kept.telephoneEvents[0] : undefined;
    const payloadType = known ?? freeNumber(ownTelephoneEvent, [...taken, ...kept.telephoneEvents]);
    taken.push(payloadType);
    events.push({ payloadType, encoding: 'TELEPHONE-EVENT', clockRateHz });
  }
  return {
    formats: [...formats, ...events],
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
  const ours = offered[index]?.audio?.formats ?? [];
  const own = ours.find(
    (format) => isEvent(format) && format.clockRateHz === codec.clockRateHz,
  )?.payloadType;
  const ownCodec = ours.find((format) => format.encoding === codec.encoding)?.payloadType;
  const event = telephoneEventOf(stream, codec)?.payloadType;
  // §5.1: what we receive carries the numbers of our offer; some send with those of their answer.
  const events = event === undefined ? [] : [...new Set([own ?? event, event])];
  return termsOf(stream, { codec, events, ownPayloadType: ownCodec });
}

function termsOf(
  stream: Stream,
  chosen: {
    readonly codec: CodecFormat;
    readonly events: readonly number[];
    /** The number in our offer, where it was ours: what we receive should carry it. */
    readonly ownPayloadType?: number | undefined;
  },
): Terms {
  const { codec, events, ownPayloadType } = chosen;
  const remote = isUnspecified(stream.address) ? undefined : addressOf(stream);
  return {
    codec: codec.encoding,
    payloadType: codec.payloadType,
    receivable: receivableOf(stream, codec, ownPayloadType),
    wantsFec: /(^|[;\s])useinbandfec=1\b/.test(codec.fmtp ?? ''),
    telephoneEvents: events,
    remote,
    remoteRtcp: remote && (stream.hasRtcpMux ? remote : (stream.rtcp ?? nextPort(remote))),
    isMuxed: stream.hasRtcpMux,
    direction: directionOf(stream),
    ptime: ptimeOf(stream, codec),
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

function receivableOf(
  stream: Stream,
  codec: CodecFormat,
  ownPayloadType: number | undefined,
): ReadonlyMap<number, CodecName> {
  const codecs = new Map<number, CodecName>();
  for (const name of ['PCMU', 'PCMA'] as const) {
    const type = codecTable[name].payloadType;
    const named = stream.formats.find((format) => format.payloadType === type);
    if (!named || named.encoding === name) codecs.set(type, name);
  }
  codecs.set(codec.payloadType, codec.encoding);
  return ownPayloadType === undefined ? codecs : codecs.set(ownPayloadType, codec.encoding);
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
  const { encoding } = format;
  return isCodecName(encoding) && format.clockRateHz === codecTable[encoding].clockRateHz;
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

// The clock of events is that of the audio they interrupt (RFC 4733 §2.1).
function telephoneEventOf(stream: Stream, codec: CodecFormat): Format | undefined {
  return stream.formats.find(
    (format) => isEvent(format) && format.clockRateHz === codec.clockRateHz,
  );
}

/** Whether a format carries key presses rather than sound. */
export function isEvent(format: Format): boolean {
  return format.encoding === 'TELEPHONE-EVENT';
}

function ptimeOf(stream: Stream, codec: CodecFormat): Ptime {
  const { ptime, maxPtime } = stream;
  if (maxPtime !== undefined && ptime !== undefined && ptime > maxPtime) return 20;
  // Opus has no frames of 30 ms (RFC 6716 §2.1.4).
  if (ptime === 30) return codec.encoding === 'OPUS' ? 20 : 30;
  return ptime === 40 || ptime === 60 ? ptime : 20;
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
