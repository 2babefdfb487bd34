import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';

/** Writing a file makes several events; it is read when they have ceased. */
const quiet = 100;
/** Where the system tells nothing (network file systems, folders that came later). */
const pollInterval = 10_000;

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Something may have changed, or not. Must not throw. */
  readonly onEvent: () => void;
}

/** Watches files that may be replaced, may be links and may not be there yet. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers: FSWatcher[] = [];
  #pause: Timer | undefined;
  #poll: Timer | undefined;
  #isClosed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Watches these and no others, from now on: folders that were replaced are found again. */
  follow(files: readonly string[]): void {
    this.#unwatch();
    if (this.#isClosed) return;
    for (const [folder, names] of namesByFolder(files)) this.#watch(folder, names);
    this.#poll?.cancel();
    this.#poll = this.#options.clock.after(pollInterval, () => this.#onPoll());
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#pause?.cancel();
    this.#poll?.cancel();
  }

  #watch(folder: string, names: ReadonlySet<string>): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || names.has(name)) this.#onEvent();
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // It is not there yet, or the system has no watch left: the poll finds what changes.
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #onEvent(): void {
    if (this.#isClosed) return;
    this.#pause?.cancel();
    this.#pause = this.#options.clock.after(quiet, () => this.#options.onEvent());
  }

  #onPoll(): void {
    this.#poll = this.#options.clock.after(pollInterval, () => this.#onPoll());
    this.#options.onEvent();
  }
}

/** Kubernetes replaces this link when it has written a volume anew; the files' own links stay. */
const volumeLink = '..data';

/**
 * The folders to watch, and the names in each that matter. The folder above is watched as well: that
 * of the file may be a link into a volume that is replaced as a whole.
 */
export function namesByFolder(files: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  const add = (path: string) => {
    const names = folders.get(dirname(path)) ?? new Set([volumeLink]);
    folders.set(dirname(path), names.add(basename(path)));
  };
  for (const file of files) {
    const path = resolve(file);
    add(path);
    if (dirname(path) !== '/') add(dirname(path));
  }
  return folders;
}
