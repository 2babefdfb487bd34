import type { Law } from '../law.ts';

/**
 * Speech quality as the E-model sees it (ITU-T G.107), with its defaults for all that a packet network
 * does not change: R = 93.2 - Id - Ie,eff, and the mean opinion score that goes with R (Annex B).
 */

export interface Impairment {
  readonly lossPercent: number;
  /** One way, mouth to ear. */
  readonly delay: number;
}

export interface Quality {
  readonly lossPercent: number;
  readonly jitterMs: number;
  /** 0 to 93.2. */
  readonly rFactor: number;
  /** 1 to 4.41. */
  readonly mos: number;
}

const defaultR = 93.2;
/** R of wideband speech without fault (G.107.1), and what its scale is divided by to meet the other one. */
const widebandR = 129;
const widebandScale = 1.29;

/** Codecs whose quality can be told. */
export type RatedCodec = Law | 'g722' | 'opus';

interface Robustness {
  readonly band: 'narrow' | 'wide';
  /** The codec's own impairment: Ie, or Ie,wb on the scale of its band. */
  readonly impairment: number;
  /** Bpl: how well it bears random loss, concealed. */
  readonly loss: number;
}

/**
 * G.711: G.113 Appendix I. G.722 at 64 kbit/s: Ie,wb of G.113 Appendix IV. G.113 has no Bpl for G.722
 * and nothing for wideband Opus: they take G.711's Bpl, and Opus the Ie,wb of G.722, which it does not
 * fall short of from 24 kbit/s on. What is told of these two under loss is an estimate.
 */
const robustness = {
  pcmu: { band: 'narrow', impairment: 0, loss: 25.1 },
  pcma: { band: 'narrow', impairment: 0, loss: 25.1 },
  g722: { band: 'wide', impairment: 13, loss: 25.1 },
  opus: { band: 'wide', impairment: 13, loss: 25.1 },
} as const satisfies Record<RatedCodec, Robustness>;

/**
 * R from 0 to 93.2; of wideband codecs it is R,wb divided by 1.29, as their opinion is computed from
 * (G.107.1 Annex A), so that each is told against the best of its own band.
 */
export function rFactorOf(codec: RatedCodec, { lossPercent, delay }: Impairment): number {
  const { band, impairment, loss } = robustness[codec];
  // §7.4 (7-29) for random loss: BurstR is 1.
  const effective = impairment + (95 - impairment) * (lossPercent / (lossPercent + loss));
  // The usual two lines in place of Idd: conversation suffers from 177.3 ms on.
  const delayed = 0.024 * delay + 0.11 * Math.max(0, delay - 177.3);
  if (band === 'narrow') return within(defaultR - delayed - effective);
  return within((widebandR - delayed - effective) / widebandScale);
}

function within(rFactor: number): number {
  return Math.min(defaultR, Math.max(0, rFactor));
}

/** Annex B: the opinion that a listener has of R. */
export function mosOf(rFactor: number): number {
  if (rFactor <= 0) return 1;
  if (rFactor >= 100) return 4.5;
  const mos = 1 + 0.035 * rFactor + rFactor * (rFactor - 60) * (100 - rFactor) * 7e-6;
  // The cubic dips below 1 for very small R.
  return Math.max(1, mos);
}

/** One direction of a call; `delay` in ms, one way. */
export function qualityOf(
  codec: RatedCodec,
  measured: {
    readonly received: number;
    readonly lost: number;
    readonly jitterMs: number;
    readonly delay: number;
  },
): Quality {
  const { received, jitterMs, delay } = measured;
  const lost = Math.max(0, measured.lost);
  const expected = received + lost;
  const lossPercent = expected === 0 ? 0 : (100 * lost) / expected;
  const rFactor = rFactorOf(codec, { lossPercent, delay });
  return {
    lossPercent: round(lossPercent),
    jitterMs: round(jitterMs),
    rFactor: round(rFactor),
    mos: round(mosOf(rFactor)),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
