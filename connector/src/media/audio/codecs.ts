import { type AudioFormat, isLaw, sampleRateOf } from '../format.ts';
import { Resampler } from '../resample.ts';
import { decode, encode } from './g711.ts';
import { G722Decoder, G722Encoder } from './g722.ts';
import { OpusDecoder, OpusEncoder, type OpusLibrary } from './opus.ts';
import { fromFormat, toFormat } from './pcm.ts';

export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'OPUS';

/** How a codec is named and numbered in SDP and how it counts time in RTP. */
export interface CodecEntry {
  /** As written in an rtpmap; names are compared without regard to case. */
  readonly encoding: string;
  readonly clockRateHz: number;
  /** In an rtpmap, where it is not 1; what is sent is mono all the same. */
  readonly channels: number | undefined;
  /** RFC 3551 §6; else a dynamic one. */
  readonly payloadType: number | undefined;
  readonly fmtp: string | undefined;
  /** Of the sound. */
  readonly bandwidth: 'narrow' | 'wide';
}

// RFC 3551 §4.5.2: the clock of G.722 is 8000 by an old mistake, its sampling rate is 16000.
// RFC 7587 §7: rtpmap is always opus/48000/2. We send and like mono; its decoder here takes no FEC, so none is asked for.
export const codecTable = {
  PCMU: {
    encoding: 'PCMU',
    clockRateHz: 8000,
    channels: undefined,
    payloadType: 0,
    fmtp: undefined,
    bandwidth: 'narrow',
  },
  PCMA: {
    encoding: 'PCMA',
    clockRateHz: 8000,
    channels: undefined,
    payloadType: 8,
    fmtp: undefined,
    bandwidth: 'narrow',
  },
  G722: {
    encoding: 'G722',
    clockRateHz: 8000,
    channels: undefined,
    payloadType: 9,
    fmtp: undefined,
    bandwidth: 'wide',
  },
  OPUS: {
    encoding: 'opus',
    clockRateHz: 48_000,
    channels: 2,
    payloadType: undefined,
    fmtp: 'maxplaybackrate=24000;stereo=0;useinbandfec=0',
    bandwidth: 'wide',
  },
} as const satisfies Record<CodecName, CodecEntry>;

export function isCodecName(name: string): name is CodecName {
  return Object.hasOwn(codecTable, name);
}

/**
 * Format towards the conversation: the codec's own law where it is taken, untouched; else the best liked
 * linear one that keeps the codec's band; else the best liked of all.
 */
export function formatFor(codec: CodecName, taken: readonly AudioFormat[]): AudioFormat {
  const own = lawOfCodec(codec);
  if (own && taken.includes(own)) return own;
  const isWide = codecTable[codec].bandwidth === 'wide';
  const keeping = taken.find((format) => !isWide || sampleRateOf(format) > 8000);
  return keeping ?? taken[0] ?? own ?? 'pcmu';
}

export function lawOfCodec(codec: CodecName): 'pcmu' | 'pcma' | undefined {
  if (codec === 'PCMU') return 'pcmu';
  return codec === 'PCMA' ? 'pcma' : undefined;
}

/** From the wire to the line. */
export interface PayloadDecoder {
  decode(payload: Buffer): Buffer;
  /** What fills the place of one lost frame of so many ms. */
  conceal(duration: number): Buffer;
}

/** From the line to the wire, one frame at a time. */
export interface FrameEncoder {
  encode(frame: Buffer): Uint8Array;
}

export interface CodecUse {
  readonly codec: CodecName;
  readonly format: AudioFormat;
  /** Needed for OPUS. */
  readonly opus: OpusLibrary | undefined;
  /** The peer wants Opus packets with a copy of the frame before. */
  readonly hasFec?: boolean;
}

export function createDecoder(use: CodecUse): PayloadDecoder {
  const { codec, format } = use;
  const rate = sampleRateOf(format);
  if (codec === 'OPUS') {
    const decoder = new OpusDecoder(required(use.opus), rate);
    return {
      decode: (payload) => toFormat(format, decoder.decode(payload)),
      conceal: () => toFormat(format, decoder.conceal()),
    };
  }
  const own = codec === 'G722' ? 16_000 : 8000;
  const decodeAll = decoderOf(codec);
  const resample = resamplerOf(own, rate);
  return {
    decode: (payload) => toFormat(format, resample(decodeAll(payload))),
    conceal: (duration) => toFormat(format, resample(new Int16Array((own / 1000) * duration))),
  };
}

export function createEncoder(use: CodecUse): FrameEncoder {
  const { codec, format } = use;
  const rate = sampleRateOf(format);
  if (codec === 'OPUS') {
    const encoder = new OpusEncoder(required(use.opus), { rate, hasFec: use.hasFec ?? false });
    return { encode: (frame) => encoder.encode(fromFormat(format, frame)) };
  }
  const encodeAll = encoderOf(codec);
  const resample = resamplerOf(rate, codec === 'G722' ? 16_000 : 8000);
  return { encode: (frame) => encodeAll(resample(fromFormat(format, frame))) };
}

/** Audio of one format as another, as a stream. */
export function createConverter(from: AudioFormat, to: AudioFormat): (audio: Buffer) => Buffer {
  if (from === to) return (audio) => audio;
  const resample = resamplerOf(sampleRateOf(from), sampleRateOf(to));
  return (audio) => toFormat(to, resample(fromFormat(from, audio)));
}

function decoderOf(codec: Exclude<CodecName, 'OPUS'>): (payload: Uint8Array) => Int16Array {
  const law = lawOfCodec(codec);
  if (law) return (payload) => decode(law, payload);
  const decoder = new G722Decoder();
  return (payload) => decoder.decode(payload);
}

function encoderOf(codec: Exclude<CodecName, 'OPUS'>): (samples: Int16Array) => Uint8Array {
  const law = lawOfCodec(codec);
  if (law) return (samples) => encode(law, samples);
  const encoder = new G722Encoder();
  return (samples) => encoder.encode(samples);
}

function resamplerOf(fromHz: number, toHz: number): (samples: Int16Array) => Int16Array {
  if (fromHz === toHz) return (samples) => samples;
  const resampler = new Resampler(fromHz, toHz);
  return (samples) => resampler.process(samples);
}

function required(library: OpusLibrary | undefined): OpusLibrary {
  if (!library) throw new Error('there is no Opus on this machine');
  return library;
}

/** Whether line and wire are the same G.711, or differ in the law alone: then nothing is decoded. */
export function isPassThrough(codec: CodecName, format: AudioFormat): boolean {
  return isLaw(format) && lawOfCodec(codec) !== undefined;
}
