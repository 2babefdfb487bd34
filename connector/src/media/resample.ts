/**
 * Sample rate reduction by a whole factor: a windowed-sinc low pass (Kaiser) computed only where a
 * sample is kept. Linear phase, its delay taken out, so that output sample n is the time of input n * factor.
 */

/** Stopband attenuation, dB; G.711's own noise lies about 38 dB below the speech. */
const attenuation = 60;
/** Pass and stop edges as parts of the output rate: 3.4 and 4 kHz of 8 kHz (telephone band). */
const passEdge = 3.4 / 8;
const stopEdge = 4 / 8;

/** Samples at a `factor`-th of the rate, `ceil(length / factor)` of them. */
export function decimate(samples: Int16Array, factor: number): Int16Array {
  const kernel = lowPass(factor);
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
function lowPass(factor: number): Float64Array {
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
