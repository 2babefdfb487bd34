import { createRequire } from 'node:module';
import { messageOf } from '../../base/errors.ts';
import { bytesOf, samplesOf } from './pcm.ts';

/** Opus by libopus (RFC 6716), mono; it speaks and hears at any of its rates, whatever the peer's is. */

export type OpusRate = 8000 | 16_000 | 24_000;

interface Encoder {
  encode(samples: Uint8Array): Uint8Array;
  bitrate: number | 'auto' | 'max';
  inband_fec: boolean;
  packet_loss: number;
  complexity: number;
}

interface Decoder {
  /** Throws for a packet that is none. */
  decode(packet: Uint8Array): Uint8Array;
}

interface Parts {
  readonly channels: 1;
  readonly sample_rate: OpusRate;
}

/** A build of libopus. */
interface Library {
  readonly Encoder: new (parts: Parts & { application: 'voip' }) => Encoder;
  readonly Decoder: new (parts: Parts) => Decoder;
}

// RFC 7587 §3.1.1: 28 to 40 kbit/s are the sweet spot of fullband speech.
const bitsPerSecond = 40_000;
// From 7 on libopus tells speech from music and codes music so that a lost frame leaves no click.
const complexity = 10;
const expectedLossPercent = 10;
// The largest packet of RFC 6716 §3.2.1, for 20 ms, is 1275 bytes; three frames of it.
const maxPacketBytes = 1275 * 3 + 7;

/** Undefined, with the reasons, where neither the native build nor the one of WebAssembly loads. */
export function loadOpus(load: (name: string) => unknown = createRequire(import.meta.url)): {
  readonly library: Library | undefined;
  readonly reasons: readonly string[];
} {
  const reasons: string[] = [];
  for (const name of ['@evan/opus', '@evan/opus/wasm/index.js']) {
    try {
      const library = load(name);
      if (!isLibrary(library)) throw new Error(`${name} has another shape`);
      // A build of another system may load and fail at the first use.
      new OpusDecoder(library, 8000).conceal();
      return { library, reasons };
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  return { library: undefined, reasons };
}

function isLibrary(value: unknown): value is Library {
  return typeof value === 'object' && value !== null && 'Encoder' in value && 'Decoder' in value;
}

export class OpusEncoder {
  readonly #encoder: Encoder;

  /** `hasFec`: the peer can use a second, coarser copy of each frame in the packet after it. */
  constructor(library: Library, options: { readonly rate: OpusRate; readonly hasFec: boolean }) {
    const { rate, hasFec } = options;
    this.#encoder = new library.Encoder({ channels: 1, sample_rate: rate, application: 'voip' });
    this.#encoder.bitrate = bitsPerSecond;
    this.#encoder.complexity = complexity;
    this.#encoder.inband_fec = hasFec;
    this.#encoder.packet_loss = hasFec ? expectedLossPercent : 0;
  }

  /** 20, 40 or 60 ms of samples. */
  encode(samples: Int16Array): Uint8Array {
    return this.#encoder.encode(bytesOf(samples));
  }
}

export class OpusDecoder {
  readonly #decoder: Decoder;
  /** First byte of the last packet (RFC 6716 §3.1). The first one: wideband SILK, 20 ms, one frame. */
  #toc = 0x48;

  constructor(library: Library, rate: OpusRate) {
    this.#decoder = new library.Decoder({ channels: 1, sample_rate: rate });
  }

  /** Samples of a packet; of one that is broken, what fills its place. */
  decode(packet: Uint8Array): Int16Array {
    const toc = packet[0];
    if (toc === undefined || packet.length > maxPacketBytes) return this.conceal();
    try {
      const samples = samplesOf(this.#decoder.decode(packet));
      this.#toc = toc;
      return samples;
    } catch {
      return this.conceal();
    }
  }

  /** What libopus makes up for one lost frame: a packet with a frame of no bytes stands for it (§3.2.1). */
  conceal(): Int16Array {
    return samplesOf(this.#decoder.decode(Uint8Array.of(this.#toc & 0xfc)));
  }
}

export type OpusLibrary = Library;
