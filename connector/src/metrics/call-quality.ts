import { Histogram, type Registry } from 'prom-client';

// Borders of what people say of calls (G.107 Annex B): 4.34 all are satisfied, 3.6 some are not, 2.58 nearly all.
const mosBuckets = [1.5, 2, 2.58, 3.1, 3.6, 4.03, 4.34, 4.5];
const lossBuckets = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const jitterBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2];

/** What we hear, or what the peer says that it hears. */
export type QualityDirection = 'received' | 'sent';

/** One direction of a call at its end. */
export interface ObservedQuality {
  readonly mos: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
}

/** How calls sounded, each counted once for a direction. */
export class QualityHistograms {
  readonly #mos: Histogram<'direction'>;
  readonly #loss: Histogram<'direction'>;
  readonly #jitter: Histogram<'direction'>;

  constructor(registry: Registry) {
    const of = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, buckets, labelNames: ['direction'], registers: [registry] });
    this.#mos = of(
      'parley_call_mos',
      'Mean opinion score of a call (E-model, 1 to 4.5).',
      mosBuckets,
    );
    this.#loss = of('parley_call_loss_ratio', 'Share of RTP packets lost in a call.', lossBuckets);
    this.#jitter = of('parley_call_jitter_seconds', 'Jitter at the end of a call.', jitterBuckets);
  }

  observe(direction: QualityDirection, { mos, lossPercent, jitterMs }: ObservedQuality): void {
    this.#mos.observe({ direction }, mos);
    this.#loss.observe({ direction }, lossPercent / 100);
    this.#jitter.observe({ direction }, jitterMs / 1000);
  }
}
