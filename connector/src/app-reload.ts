import type { Clock } from './base/clock.ts';
import { messageOf } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { FileWatch } from './config/file-watch.ts';
import type { Config, Reading } from './config.ts';

/** Where the configuration comes from: what it was at the start, and what it is now. */
export interface ConfigSource {
  readonly first: Reading;
  read(): Reading;
}

export interface ReloadOptions {
  readonly source: ConfigSource;
  /**
   * Puts a configuration to use and returns the settings in it that count only at the next start.
   * Throws where it cannot be used; then nothing has changed.
   */
  readonly apply: (config: Config) => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Follows the configuration's files. An edit that is wrong is refused, and what was before stays in use. */
export class Reload {
  readonly #options: ReloadOptions;
  readonly #watch: FileWatch;
  #last: Reading;
  #problem: string | undefined;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#last = options.source.first;
    this.#watch = new FileWatch({ clock: options.clock, onEvent: () => this.#check() });
  }

  /** What keeps the files from being in use as they are now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** From the first reading on nothing is missed. */
  start(): void {
    this.#check();
  }

  close(): void {
    this.#watch.close();
  }

  #check(): void {
    // Watched before they are read, so that no change falls between.
    this.#watch.follow(this.#last.files);
    const reading = this.#options.source.read();
    if (reading.fingerprint === this.#last.fingerprint) return;
    this.#last = reading;
    this.#watch.follow(reading.files);
    this.#problem = this.#use(reading);
  }

  #use({ config, problems }: Reading): string | undefined {
    const { apply, log } = this.#options;
    try {
      if (!config) return this.#refuse(problems);
      const fixed = apply(config);
      const { revision } = config;
      if (fixed.length === 0) log.info({ revision }, 'the changed configuration is in use');
      else log.warn({ revision, fixed }, 'a part of the changed configuration needs a restart');
      return fixed.length === 0 ? undefined : `needs a restart: ${fixed.join(', ')}`;
    } catch (error) {
      return this.#refuse([messageOf(error)]);
    }
  }

  #refuse(problems: readonly string[]): string {
    this.#options.log.error({ problems }, 'the changed configuration is refused');
    return problems.join('\n');
  }
}
