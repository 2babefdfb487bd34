import { isIP } from 'node:net';
import { write } from 'sdp-transform';
import { codecTable } from '../audio/codecs.ts';
import type { Format } from './description.ts';
import { isEvent, type LocalAudio, type LocalStream } from './negotiate.ts';

/** Where our media is reached and what names our session in o= (RFC 4566 §5.2). */
export interface Local {
  readonly address: string;
  readonly port: number;
  readonly sessionId: number;
}

/** Writes our descriptions; the version in o= rises when, and only when, something else changed. */
export class DescriptionWriter {
  readonly #local: Local;
  #version: number;
  #content = '';

  constructor(local: Local) {
    this.#local = local;
    this.#version = local.sessionId;
  }

  write(streams: readonly LocalStream[]): string {
    const content = JSON.stringify(streams);
    if (this.#content !== '' && this.#content !== content) this.#version += 1;
    this.#content = content;
    return describe(this.#local, this.#version, streams);
  }
}

function describe(local: Local, version: number, streams: readonly LocalStream[]): string {
  const ipVer = isIP(local.address);
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: local.sessionId,
      sessionVersion: version,
      netType: 'IN',
      ipVer,
      address: local.address,
    },
    name: '-',
    connection: { version: ipVer, ip: local.address },
    timing: { start: 0, stop: 0 },
    media: streams.map((stream) => mediaOf(stream, local.port)),
  });
}

function mediaOf(stream: LocalStream, port: number): Parameters<typeof write>[0]['media'][number] {
  const { type, profile: protocol, audio } = stream;
  if (!audio) return { type, protocol, port: 0, payloads: stream.formatList, rtp: [], fmtp: [] };
  const payloads = audio.formats.map((format) => format.payloadType).join(' ');
  return { type, protocol, port, payloads, ...attributesOf(audio) };
}

function attributesOf(audio: LocalAudio) {
  return {
    rtp: audio.formats.map((format) => ({
      payload: format.payloadType,
      codec: nameOf(format),
      rate: format.clockRateHz,
      ...(format.channels === undefined ? {} : { encoding: format.channels }),
    })),
    // RFC 4733 §2.4.1: the sixteen DTMF events.
    fmtp: audio.formats.flatMap((format) => {
      const config = isEvent(format) ? '0-15' : format.fmtp;
      return config === undefined ? [] : [{ payload: format.payloadType, config }];
    }),
    ptime: audio.ptime,
    direction: audio.direction,
    ...(audio.isMuxed ? { rtcpMux: 'rtcp-mux' as const } : {}),
  };
}

// RFC 7587 §7 writes opus in small letters; names are equal in either case, but not to every phone.
function nameOf(format: Format): string {
  if (isEvent(format)) return 'telephone-event';
  return format.encoding === 'OPUS' ? codecTable.OPUS.encoding : format.encoding;
}
