import type { Health, WatchedProvider } from './agent/provider-health.ts';
import { ProviderWatch } from './agent/provider-watch.ts';
import type { ProviderParts } from './app-providers.ts';

/** The providers of one agent. */
export interface WatchedGroup {
  readonly name: string;
  readonly providers: readonly WatchedProvider[];
}

interface Watch {
  readonly group: WatchedGroup;
  readonly watch: ProviderWatch;
}

/** Watches the providers of all agents; agents that share their first provider share the watch. */
export class ProviderWatches {
  readonly #parts: ProviderParts;
  #watches: readonly Watch[] = [];

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  /** Of the first agent whose providers do not work, else of the first. */
  get report(): Health {
    const reports = this.#watches.map(({ group, watch }) => ({ ...watch.report, of: group.name }));
    const bad = reports.find(({ isReady }) => !isReady) ?? reports[0];
    if (!bad) return { isReady: false, reason: 'NoAgent', message: 'all agents are disabled' };
    const { of, ...report } = bad;
    return reports.length === 1 ? report : { ...report, message: `${of}: ${report.message}` };
  }

  /** From now on it is about these. */
  use(groups: readonly WatchedGroup[]): void {
    const old = this.#watches;
    const distinct = groups.filter(
      ({ providers: [first] }, index) =>
        groups.findIndex(({ providers }) => providers[0] === first) === index,
    );
    for (const { watch } of old.slice(distinct.length)) watch.close();
    this.#watches = distinct.map((group, index) => ({
      group,
      watch: old[index]?.watch ?? new ProviderWatch(this.#parts),
    }));
    for (const { watch, group } of this.#watches) watch.use(group.providers);
  }

  /** Idempotent. */
  close(): void {
    for (const { watch } of this.#watches) watch.close();
  }
}
