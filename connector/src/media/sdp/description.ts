import { isIP } from 'node:net';
import { parse } from 'sdp-transform';
import { ConnectorError } from '../../base/errors.ts';

/** A session description read into what the negotiation looks at (RFC 4566, RFC 8866). */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface Address {
  readonly address: string;
  readonly port: number;
}

export interface Format {
  readonly payloadType: number;
  /** Encoding name in capitals. */
  readonly encoding: string;
  readonly clockRateHz: number;
  /** Of the rtpmap; 1 where it names none. */
  readonly channels?: number;
  /** The parameters as written. */
  readonly fmtp?: string;
}

/** One m= line with what applies to it from the session level. */
export interface Stream {
  readonly type: string;
  readonly profile: string;
  /** 0: the stream is refused or taken down. */
  readonly port: number;
  /** The format list as written. */
  readonly formatList: string;
  readonly formats: readonly Format[];
  /** Unicast IP literal; undefined when there is no c= line or it names a host. */
  readonly address: string | undefined;
  readonly rtcp: Address | undefined;
  readonly hasRtcpMux: boolean;
  readonly direction: Direction;
  readonly ptime: number | undefined;
  readonly maxPtime: number | undefined;
}

type Parsed = ReturnType<typeof parse>;
type ParsedStream = Parsed['media'][number];

const maxSizeBytes = 32_768;
const maxStreams = 32;

// RFC 3551 §6: what these numbers mean without an rtpmap.
const staticEncodings: Readonly<Record<number, string>> = {
  0: 'PCMU',
  8: 'PCMA',
  9: 'G722',
  13: 'CN',
};

/** The streams of a description in their order. Throws SDP_INVALID. */
export function parseDescription(text: string): readonly Stream[] {
  if (text.length > maxSizeBytes) throw invalid('too long');
  if (!/^v=0[ \t]*(\r|\n)/.test(text)) throw invalid('does not start with v=0');
  const session = parseText(text);
  if (typeof session.origin?.address !== 'string') throw invalid('no o= line');
  if (session.media.length > maxStreams) throw invalid('too many m= lines');
  return session.media.map((media) => streamOf(session, media));
}

function parseText(text: string): Parsed {
  try {
    // The count of ports in `m=audio 49170/2` concerns layered video only.
    return parse(text.replaceAll(/^(m=\S+ \d+)\/\d+/gm, '$1'));
  } catch (cause) {
    throw new ConnectorError('SDP_INVALID', 'SDP: cannot be parsed', { cause });
  }
}

function streamOf(session: Parsed, media: ParsedStream): Stream {
  // The parser leaves these unset where an m= line does not match its grammar, whatever its types say.
  const { type, protocol } = media as Partial<ParsedStream>;
  const port = toNumber(media.port);
  if (type === undefined || !protocol || !(port >= 0 && port <= 65_535))
    throw invalid('an m= line is malformed');
  const formatList = toText(media.payloads).trim();
  return {
    type,
    profile: protocol,
    port,
    formatList,
    formats: formatsOf(formatList, media),
    address: unicast(media.connection?.ip ?? session.connection?.ip),
    rtcp: rtcpOf(media, session),
    hasRtcpMux: media.rtcpMux !== undefined,
    direction: media.direction ?? session.direction ?? 'sendrecv',
    ptime: positive(media.ptime),
    maxPtime: positive(media.maxptime),
  };
}

function formatsOf(list: string, media: ParsedStream): Format[] {
  return list
    .split(/\s+/)
    .filter((item) => /^\d{1,3}$/.test(item) && Number(item) <= 127)
    .map((item) => formatOf(Number(item), media));
}

function formatOf(payloadType: number, media: ParsedStream): Format {
  const map = media.rtp.find((entry) => toNumber(entry.payload) === payloadType);
  if (!map) return { payloadType, encoding: staticEncodings[payloadType] ?? '', clockRateHz: 8000 };
  const fmtp = media.fmtp.find((entry) => toNumber(entry.payload) === payloadType);
  return {
    payloadType,
    encoding: toText(map.codec).toUpperCase(),
    clockRateHz: toNumber(map.rate ?? 8000),
    ...(map.encoding === undefined ? {} : { channels: toNumber(map.encoding) }),
    ...(fmtp === undefined ? {} : { fmtp: toText(fmtp.config) }),
  };
}

// RFC 3605: a=rtcp:port, with or without an address.
function rtcpOf(media: ParsedStream, session: Parsed): Address | undefined {
  const port = toNumber(media.rtcp?.port);
  if (!(port > 0 && port <= 65_535)) return undefined;
  const address = unicast(media.rtcp?.address ?? media.connection?.ip ?? session.connection?.ip);
  return address === undefined ? undefined : { address, port };
}

function unicast(value: unknown): string | undefined {
  if (typeof value !== 'string' || isIP(value) === 0) return undefined;
  const first = Number.parseInt(value, 10);
  const isMulticast = value.includes(':') ? /^ff/i.test(value) : first >= 224;
  return isMulticast ? undefined : value;
}

function positive(value: unknown): number | undefined {
  const number = Number(value);
  return number > 0 ? number : undefined;
}

// The parser makes a number of whatever looks like one, and leaves out what does not match.
function toNumber(value: unknown): number {
  return Number(value);
}

function toText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function invalid(what: string): ConnectorError {
  return new ConnectorError('SDP_INVALID', `SDP: ${what}`);
}
