import { Band, highBand, lowBand, saturate } from './g722-band.ts';

/**
 * G.722 at 64 kbit/s (ITU-T G.722, mode 1): two sub-bands of 8000 samples a second, 6 bits of ADPCM for the
 * lower and 2 for the upper one. A byte is two samples of 16 kHz; its upper bits are the upper band's.
 */

// Table 11: the filter of both quadrature mirror banks, every second coefficient.
const mirror = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);
const span = 24;

// Table 3 (Q6): decision levels of the lower band's 60 steps.
const levels = Int32Array.of(
  0,
  35,
  72,
  110,
  150,
  190,
  233,
  276,
  323,
  370,
  422,
  473,
  530,
  587,
  650,
  714,
  786,
  858,
  940,
  1023,
  1121,
  1219,
  1339,
  1458,
  1612,
  1765,
  1980,
  2195,
  2557,
  2919,
);
// Table 4: the code words of an interval, by the sign of the difference.
const lowCodes = {
  negative: Uint8Array.from({ length: 31 }, (_, step) => (step < 3 ? 64 - step : 34 - step)),
  positive: Uint8Array.from({ length: 31 }, (_, step) => 62 - step),
};
// Tables 5, 7: what the code words stand for, with 6 bits and, for prediction, with their upper 4.
const sixBits = mirrored(
  Int16Array.of(
    24_808,
    21_904,
    19_008,
    16_704,
    14_984,
    13_512,
    12_280,
    11_192,
    10_232,
    9360,
    8576,
    7856,
    7192,
    6576,
    6000,
    5456,
    4944,
    4464,
    4008,
    3576,
    3168,
    2776,
    2400,
    2032,
    1688,
    1360,
    1040,
    728,
  ),
);
const fourBits = Int16Array.of(
  0,
  -20_456,
  -12_896,
  -8968,
  -6288,
  -4240,
  -2584,
  -1200,
  20_456,
  12_896,
  8968,
  6288,
  4240,
  2584,
  1200,
  0,
);
const twoBits = Int16Array.of(-7408, -1616, 7408, 1616);
// Tables 13, 16: how a code word moves the scale factor.
const lowSteps = Int16Array.of(
  -60,
  3042,
  1198,
  538,
  334,
  172,
  58,
  -30,
  3042,
  1198,
  538,
  334,
  172,
  58,
  -30,
  -60,
);
const highSteps = Int16Array.of(798, -214, 798, -214);
const highLevel = 564;

function mirrored(upper: Int16Array): Int16Array {
  const negative = Int16Array.from(upper, (value) => -value);
  return Int16Array.of(-136, -136, -136, -136, ...negative, ...upper, 432, 136, -432, -136);
}

function lowCodeOf(difference: number, scale: number): number {
  const magnitude = difference < 0 ? ~difference : difference;
  let step = 1;
  while (step < levels.length && magnitude >= ((levels[step] ?? 0) * scale) >> 12) step++;
  return lowCodes[difference < 0 ? 'negative' : 'positive'][step] ?? 0;
}

function highCodeOf(difference: number, scale: number): number {
  const magnitude = difference < 0 ? ~difference : difference;
  const isLarge = magnitude >= (highLevel * scale) >> 12;
  return (difference < 0 ? 0 : 2) + (isLarge ? 0 : 1);
}

/** INVQAL, LOGSCL and the predictor of the lower band. */
function adaptLow(band: Band, code: number): void {
  const coarse = code >> 2;
  const difference = (band.scale * (fourBits[coarse] ?? 0)) >> 15;
  band.rescale(lowSteps[coarse] ?? 0);
  band.adapt(difference);
}

function adaptHigh(band: Band, code: number): void {
  const difference = (band.scale * (twoBits[code] ?? 0)) >> 15;
  band.rescale(highSteps[code] ?? 0);
  band.adapt(difference);
}

export class G722Encoder {
  readonly #low = new Band(lowBand);
  readonly #high = new Band(highBand);
  #samples = new Int32Array(span);

  /** Samples of 16 kHz, an even number of them; a byte for two. */
  encode(input: Int16Array): Uint8Array {
    const kept = span - 2;
    const samples = new Int32Array(kept + input.length);
    samples.set(this.#samples.subarray(this.#samples.length - kept));
    samples.set(input, kept);
    this.#samples = samples;
    const output = new Uint8Array(input.length >> 1);
    for (let index = 0; index < output.length; index++)
      output[index] = this.#encodePair(samples, 2 * index);
    return output;
  }

  #encodePair(samples: Int32Array, at: number): number {
    let odd = 0;
    let even = 0;
    for (let tap = 0; tap < 12; tap++) {
      odd += (samples[at + 2 * tap] ?? 0) * (mirror[tap] ?? 0);
      even += (samples[at + 2 * tap + 1] ?? 0) * (mirror[11 - tap] ?? 0);
    }
    const low = this.#low;
    const lowCode = lowCodeOf(saturate(((even + odd) >> 14) - low.prediction), low.scale);
    adaptLow(low, lowCode);
    const high = this.#high;
    const highCode = highCodeOf(saturate(((even - odd) >> 14) - high.prediction), high.scale);
    adaptHigh(high, highCode);
    return (highCode << 6) | lowCode;
  }
}

export class G722Decoder {
  readonly #low = new Band(lowBand);
  readonly #high = new Band(highBand);
  #bands = new Int32Array(span);

  /** Samples of 16 kHz, two for a byte. */
  decode(input: Uint8Array): Int16Array {
    const kept = span - 2;
    const bands = new Int32Array(kept + 2 * input.length);
    bands.set(this.#bands.subarray(this.#bands.length - kept));
    this.#bands = bands;
    const output = new Int16Array(2 * input.length);
    for (let index = 0; index < input.length; index++) {
      const code = input[index] ?? 0;
      const low = this.#lowSample(code & 0x3f);
      const high = this.#highSample(code >> 6);
      bands[kept + 2 * index] = low + high;
      bands[kept + 2 * index + 1] = low - high;
      join(bands, output, 2 * index);
    }
    return output;
  }

  #lowSample(code: number): number {
    const band = this.#low;
    const sample = band.prediction + ((band.scale * (sixBits[code] ?? 0)) >> 15);
    adaptLow(band, code);
    return Math.max(-16_384, Math.min(16_383, sample));
  }

  #highSample(code: number): number {
    const band = this.#high;
    const sample = band.prediction + ((band.scale * (twoBits[code] ?? 0)) >> 15);
    adaptHigh(band, code);
    return Math.max(-16_384, Math.min(16_383, sample));
  }
}

/** The receiving mirror filter: two samples of the span that ends with the newest pair. */
function join(bands: Int32Array, output: Int16Array, at: number): void {
  let first = 0;
  let second = 0;
  for (let tap = 0; tap < 12; tap++) {
    second += (bands[at + 2 * tap] ?? 0) * (mirror[tap] ?? 0);
    first += (bands[at + 2 * tap + 1] ?? 0) * (mirror[11 - tap] ?? 0);
  }
  output[at] = saturate(first >> 11);
  output[at + 1] = saturate(second >> 11);
}
