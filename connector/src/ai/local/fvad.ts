import createModule, { type Fvad } from '@echogarden/fvad-wasm';
import { energyOf, isQuiet, isTone } from './tone-filter.ts';
import type { VoiceModel, VoiceStream } from './voice-model.ts';

/** Most of the four modes: the least taken for speech. */
const strictest = 3;
/** 10 ms. */
const blockSamples = 80;
/** Speech is at least 9 dB above the noise it comes in. */
const speechOverNoise = 8;
/** The noise estimate rises by 1 dB a second, and falls at once. */
const noiseRise = 10 ** (0.1 * 0.032);

/**
 * WebRTC's voice detector, in WebAssembly: where Silero cannot be had. It takes tones and noise for
 * speech, so these are kept from it.
 */
export async function loadFvad(): Promise<VoiceModel> {
  const module = await createModule();
  return {
    name: 'fvad',
    stream: () => new FvadStream(module),
    close: () => Promise.resolve(),
  };
}

class FvadStream implements VoiceStream {
  readonly #module: Fvad;
  readonly #instance: number;
  readonly #memory: number;
  #noise = Number.POSITIVE_INFINITY;
  #before = 0;

  constructor(module: Fvad) {
    const { _fvad_new: create, _malloc: allocate } = module;
    const { _fvad_set_sample_rate: setSampleRate, _fvad_set_mode: setMode } = module;
    this.#module = module;
    this.#instance = create();
    this.#memory = allocate(2 * blockSamples);
    setSampleRate(this.#instance, 8000);
    setMode(this.#instance, strictest);
  }

  /**
   * The part of the frame's blocks that is speech, or of the frame before where that is less: the edge
   * of a tone is no tone, but it lasts one frame only.
   */
  probability(frame: Int16Array): Promise<number> {
    const share = this.#share(frame);
    const probability = Math.min(share, this.#before);
    this.#before = share;
    return Promise.resolve(probability);
  }

  close(): void {
    const { _fvad_free: release, _free: free } = this.#module;
    release(this.#instance);
    free(this.#memory);
  }

  #share(frame: Int16Array): number {
    const { _fvad_process: process, HEAP16: heap } = this.#module;
    const energy = Math.max(1, energyOf(frame));
    this.#noise = Math.min(this.#noise * noiseRise, energy);
    let voiced = 0;
    let blocks = 0;
    for (let at = 0; at + blockSamples <= frame.length; at += blockSamples, blocks++) {
      heap.set(frame.subarray(at, at + blockSamples), this.#memory >> 1);
      if (process(this.#instance, this.#memory, blockSamples) === 1) voiced++;
    }
    const isOut = isQuiet(frame) || isTone(frame) || energy < speechOverNoise * this.#noise;
    return isOut ? 0 : voiced / blocks;
  }
}
