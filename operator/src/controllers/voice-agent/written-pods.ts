import type { Clock } from '@parley/connector/base/clock';
import type { Pod } from '../../kube/kinds.ts';
import { isNews } from '../../kube/object.ts';

/** A write that no watch has shown by then was undone by somebody else. */
const patience = 30_000;

interface Written {
  readonly pod: Pod;
  readonly isDeleted: boolean;
  readonly at: number;
}

/**
 * What was written and the cache does not show yet: without it a second look would make a pod twice or
 * tell it the opposite of what it was just told.
 */
export class WrittenPods {
  readonly #clock: Clock;
  readonly #byUid = new Map<string, Written>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As the API server answered. */
  wrote(pod: Pod): void {
    this.#put(pod, false);
  }

  deleted(pod: Pod): void {
    this.#put(pod, true);
  }

  /** The pods of a cache as they will be; `isOurs` picks those that may be added. */
  merge(cached: readonly Pod[], isOurs: (pod: Pod) => boolean): Pod[] {
    const seen = new Set(cached.map(uidOf));
    const missing = [...this.#byUid.values()].filter(
      ({ pod, isDeleted }) =>
        this.#isFresh(pod) && !isDeleted && !seen.has(uidOf(pod)) && isOurs(pod),
    );
    return [...cached.map((pod) => this.#newest(pod)), ...missing.map(({ pod }) => pod)];
  }

  /** What no longer exists need not be remembered. */
  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  #put(pod: Pod, isDeleted: boolean): void {
    this.#byUid.set(uidOf(pod), { pod, isDeleted, at: this.#clock.now() });
  }

  #newest(cached: Pod): Pod {
    const written = this.#byUid.get(uidOf(cached));
    if (!written || !this.#isFresh(cached)) return cached;
    if (written.isDeleted)
      return { ...cached, metadata: { ...cached.metadata, ...deletion(cached) } };
    if (!isNews(versionOf(cached), versionOf(written.pod))) return written.pod;
    this.#byUid.delete(uidOf(cached));
    return cached;
  }

  #isFresh(pod: Pod): boolean {
    const written = this.#byUid.get(uidOf(pod));
    if (!written) return false;
    if (this.#clock.now() - written.at < patience) return true;
    this.#byUid.delete(uidOf(pod));
    return false;
  }
}

function deletion({ metadata }: Pod): { deletionTimestamp: string } {
  return { deletionTimestamp: metadata?.deletionTimestamp ?? '1970-01-01T00:00:00Z' };
}

function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? '';
}

function versionOf(pod: Pod): string {
  return pod.metadata?.resourceVersion ?? '';
}
