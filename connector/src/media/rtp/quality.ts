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

/** Of G.113 Appendix I: the codec's own impairment, and how well it bears random loss (with PLC). */
const robustness = {
  pcmu: { impairment: 0, loss: 25.1 },
  pcma: { impairment: 0, loss: 25.1 },
} as const satisfies Record<Law, { readonly impairment: number; readonly loss: number }>;

export function rFactorOf(law: Law, { lossPercent, delay }: Impairment): number {
  const { impairment, loss } = robustness[law];
  // §7.4 (7-29) for random loss: BurstR is 1.
  const effective = impairment + (95 - impairment) * (lossPercent / (lossPercent + loss));
  // The usual two lines in place of Idd: conversation suffers from 177.3 ms on.
  const delayed = 0.024 * delay + 0.11 * Math.max(0, delay - 177.3);
  return Math.min(defaultR, Math.max(0, defaultR - delayed - effective));
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
  law: Law,
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
  const rFactor = rFactorOf(law, { lossPercent, delay });
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
