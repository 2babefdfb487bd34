import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Health, reportOf, type WatchedProvider } from './provider-health.ts';

/** A provider that does not work is tried again after this; calls try it all the time anyway. */
const interval = 60_000;
/** Local engines load, and servers far away answer, well within this. */
const limit = 30_000;

/**
 * Finds out whether an agent's providers work: at first by trying them in their order until one does,
 * then by what its calls experience. Only while the first does not work it is tried again.
 */
export class ProviderWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  #providers: readonly WatchedProvider[] = [];
  #abort: AbortController | undefined;
  #next: Timer | undefined;
  #told = '';
  #isClosed = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  get report(): Health {
    return reportOf(this.#providers);
  }

  /** From now on it is about these; what is known of them already is not asked again. */
  use(providers: readonly WatchedProvider[]): void {
    for (const old of this.#providers) old.listen(() => undefined);
    this.#providers = providers;
    for (const provider of providers) provider.listen(() => this.#onChange());
    this.#stop();
    void this.#probe();
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#next?.cancel();
    this.#next = undefined;
  }

  #onChange(): void {
    this.#tell();
    this.#plan();
  }

  /** Never rejects. */
  async #probe(): Promise<void> {
    if (this.#isClosed) return;
    const abort = new AbortController();
    this.#abort = abort;
    for (const provider of this.#providers) {
      if (provider.health?.isReady) break;
      await this.#try(provider, abort);
      if (this.#abort !== abort) return;
      if (provider.health?.isReady) break;
    }
    this.#abort = undefined;
    this.#plan();
  }

  async #try(provider: WatchedProvider, abort: AbortController): Promise<void> {
    const slow = new AbortController();
    const timer = this.#clock.after(limit, () => slow.abort());
    try {
      await provider.probe(AbortSignal.any([abort.signal, slow.signal]));
    } finally {
      timer.cancel();
    }
  }

  #plan(): void {
    if (this.#isClosed || this.#abort || this.#providers[0]?.health?.isReady) return;
    this.#next ??= this.#clock.after(interval, () => {
      this.#next = undefined;
      void this.#probe();
    });
  }

  #tell(): void {
    const { isReady, reason, message } = this.report;
    const text = `${reason} ${message}`;
    if (text === this.#told || reason === 'Starting') return;
    this.#told = text;
    const level = isReady ? 'info' : 'warn';
    this.#log[level]({ reason, message }, isReady ? 'provider is ready' : 'provider is not ready');
  }
}
