/** Synthesised sentences, the least recently used given up first. */
export class SpeechCache {
  readonly #capacityBytes: number;
  readonly #sentences = new Map<string, Int16Array>();
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get(key: string): Int16Array | undefined {
    const samples = this.#sentences.get(key);
    if (samples === undefined) return undefined;
    this.#sentences.delete(key);
    this.#sentences.set(key, samples);
    return samples;
  }

  set(key: string, samples: Int16Array): void {
    this.#remove(key);
    if (samples.byteLength > this.#capacityBytes) return;
    this.#sentences.set(key, samples);
    this.#sizeBytes += samples.byteLength;
    for (const oldest of this.#sentences.keys()) {
      if (this.#sizeBytes <= this.#capacityBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#sizeBytes -= this.#sentences.get(key)?.byteLength ?? 0;
    this.#sentences.delete(key);
  }
}
