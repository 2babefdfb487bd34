/**
 * Sample rates changed by a windowed-sinc low pass (Kaiser), linear phase, computed only where a
 * sample is kept.
 */

/** Stopband attenuation, dB; G.711's own noise lies about 38 dB below the speech. */
const wholeAttenuation = 60;
/** Of a stream, where each dB costs delay: 55 dB keep that below 3 ms at 8 kHz. */
const streamAttenuation = 55;
/** Pass and stop edges as parts of the lower rate: 3.4 and 4 kHz of 8 kHz (telephone band). */
const passEdge = 3.4 / 8;
const stopEdge = 4 / 8;

/** A stream from one rate to another. The delay is `delay` ms, in both directions alike. */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  /** The taps of each phase, in the order of the samples. */
  readonly #phases: readonly Float64Array[];
  readonly #taps: number;
  #history: Float64Array;
  /** The next output, in steps of the common multiple of both rates, from the next input on. */
  #position = 0;
  /** ms. */
  readonly delay: number;

  constructor(fromHz: number, toHz: number) {
    const common = greatestDivisor(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    const kernel = lowPass(Math.max(this.#up, this.#down), streamAttenuation);
    this.#taps = Math.ceil(kernel.length / this.#up);
    this.#phases = Array.from({ length: this.#up }, (_, phase) =>
      Float64Array.from(
        { length: this.#taps },
        (__, tap) => (kernel[phase + (this.#taps - 1 - tap) * this.#up] ?? 0) * this.#up,
      ),
    );
    this.#history = new Float64Array(this.#taps - 1);
    this.delay = ((kernel.length - 1) / 2 / (fromHz * this.#up)) * 1000;
  }

  /** What the samples so far are good for: over time as many as the ratio of the rates says. */
  process(input: Int16Array): Int16Array {
    const kept = this.#taps - 1;
    const samples = new Float64Array(kept + input.length);
    samples.set(this.#history);
    samples.set(input, kept);
    const end = input.length * this.#up;
    const output = new Int16Array(Math.ceil((end - this.#position) / this.#down));
    for (let index = 0; index < output.length; index++) {
      output[index] = this.#at(samples, this.#position);
      this.#position += this.#down;
    }
    this.#position -= end;
    this.#history = samples.slice(samples.length - kept);
    return output;
  }

  #at(samples: Float64Array, position: number): number {
    const first = Math.floor(position / this.#up);
    const phase = this.#phases[position % this.#up] ?? samples;
    let sum = 0;
    for (let tap = 0; tap < this.#taps; tap++)
      sum += (phase[tap] ?? 0) * (samples[first + tap] ?? 0);
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
}

/**
 * Samples at a `factor`-th of the rate, `ceil(length / factor)` of them, the filter's delay taken out:
 * output sample n is the time of input n * factor.
 */
export function decimate(samples: Int16Array, factor: number): Int16Array {
  const kernel = lowPass(factor, wholeAttenuation);
  const half = (kernel.length - 1) / 2;
  const output = new Int16Array(Math.ceil(samples.length / factor));
  for (let index = 0; index < output.length; index++) {
    const first = index * factor - half;
    const from = Math.max(0, -first);
    const to = Math.min(kernel.length, samples.length - first);
    let sum = 0;
    for (let tap = from; tap < to; tap++) sum += (kernel[tap] ?? 0) * (samples[first + tap] ?? 0);
    output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return output;
}

/** Odd length, unity gain at 0 Hz (Kaiser's formulas for length and shape). */
function lowPass(factor: number, attenuation: number): Float64Array {
  const width = (stopEdge - passEdge) / factor;
  const cutoff = (stopEdge + passEdge) / 2 / factor;
  const half = Math.ceil((attenuation - 7.95) / (14.36 * width) / 2);
  const beta = 0.1102 * (attenuation - 8.7);
  const kernel = Float64Array.from({ length: 2 * half + 1 }, (_, tap) => {
    const offset = tap - half;
    const window = bessel(beta * Math.sqrt(1 - (offset / half) ** 2)) / bessel(beta);
    return 2 * cutoff * sinc(2 * cutoff * offset) * window;
  });
  const gain = kernel.reduce((sum, tap) => sum + tap, 0);
  return kernel.map((tap) => tap / gain);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}
