/**
 * The adaptive predictor and quantiser scale of one sub-band (ITU-T G.722 §3.5, §3.6, and the fixed-point
 * description in §6.2; the names in comments are its blocks). All values are 16 bit integers.
 */

interface BandKind {
  /** Scale factor steps, and the largest logarithmic scale factor. */
  readonly largestScale: number;
  readonly shift: number;
  readonly initialScale: number;
}

export const lowBand: BandKind = { largestScale: 18_432, shift: 8, initialScale: 32 };
export const highBand: BandKind = { largestScale: 22_528, shift: 10, initialScale: 8 };

// Table 14: 2048 * 2^(n / 32).
const inverseLog = Int16Array.of(
  2048,
  2093,
  2139,
  2186,
  2233,
  2282,
  2332,
  2383,
  2435,
  2489,
  2543,
  2599,
  2656,
  2714,
  2774,
  2834,
  2896,
  2960,
  3025,
  3091,
  3158,
  3228,
  3298,
  3371,
  3444,
  3520,
  3597,
  3676,
  3756,
  3838,
  3922,
  4008,
);

export function saturate(value: number): number {
  if (value > 32_767) return 32_767;
  return value < -32_768 ? -32_768 : value;
}

export class Band {
  readonly #kind: BandKind;
  /** The predicted sample. */
  prediction = 0;
  /** Step of the quantiser. */
  scale: number;
  #logScale = 0;
  /** The zeros' share of the prediction. */
  #zeroPart = 0;
  // Two poles: coefficients, reconstructed samples and partial reconstructions.
  #a1 = 0;
  #a2 = 0;
  #r1 = 0;
  #p1 = 0;
  #p2 = 0;
  // Six zeros: coefficients and quantised differences, the newest first.
  readonly #b = new Int32Array(6);
  readonly #d = new Int32Array(6);

  constructor(kind: BandKind) {
    this.#kind = kind;
    this.scale = kind.initialScale;
  }

  /** LOGSCL, SCALEL (LOGSCH, SCALEH): the next step, from the multiplier of this code word. */
  rescale(multiplier: number): void {
    const { largestScale, shift } = this.#kind;
    const next = ((this.#logScale * 127) >> 7) + multiplier;
    this.#logScale = Math.max(0, Math.min(largestScale, next));
    const mantissa = inverseLog[(this.#logScale >> 6) & 31] ?? 0;
    const exponent = shift - (this.#logScale >> 11);
    this.scale = (exponent < 0 ? mantissa << -exponent : mantissa >> exponent) << 2;
  }

  /** Takes in the quantised difference and predicts the sample after it. */
  adapt(difference: number): void {
    const reconstructed = saturate(this.prediction + difference);
    const partial = saturate(this.#zeroPart + difference);
    this.#adaptPoles(partial);
    this.#adaptZeros(difference);
    // FILTEP, with the sample before still in r1.
    const poles =
      ((this.#a1 * saturate(2 * reconstructed)) >> 15) +
      ((this.#a2 * saturate(2 * this.#r1)) >> 15);
    this.#r1 = reconstructed;
    this.prediction = saturate(saturate(poles) + this.#zeroPart);
  }

  /** UPPOL2, UPPOL1. */
  #adaptPoles(partial: number): void {
    const sign = partial >> 15;
    const isLikeLast = sign === this.#p1 >> 15;
    const turn = saturate(4 * this.#a1);
    const pull = Math.min(32_767, isLikeLast ? -turn : turn) >> 7;
    const push = sign === this.#p2 >> 15 ? 128 : -128;
    const second = pull + push + ((this.#a2 * 32_512) >> 15);
    this.#a2 = Math.max(-12_288, Math.min(12_288, second));
    const limit = saturate(15_360 - this.#a2);
    const first = saturate((isLikeLast ? 192 : -192) + ((this.#a1 * 32_640) >> 15));
    this.#a1 = Math.max(-limit, Math.min(limit, first));
    this.#p2 = this.#p1;
    this.#p1 = partial;
  }

  /** UPZERO, DELAYA, FILTEZ. */
  #adaptZeros(difference: number): void {
    const gain = difference === 0 ? 0 : 128;
    const sign = difference >> 15;
    const b = this.#b;
    const d = this.#d;
    let sum = 0;
    for (let index = 5; index >= 0; index--) {
      const delayed = d[index] ?? 0;
      const change = delayed >> 15 === sign ? gain : -gain;
      const coefficient = saturate(change + (((b[index] ?? 0) * 32_640) >> 15));
      const moved = index === 0 ? difference : (d[index - 1] ?? 0);
      b[index] = coefficient;
      d[index] = moved;
      sum += (coefficient * saturate(2 * moved)) >> 15;
    }
    this.#zeroPart = saturate(sum);
  }
}
