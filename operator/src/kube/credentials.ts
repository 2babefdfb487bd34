import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '@parley/connector/base/clock';
import { type Access, type AccessOptions, loadConfig, readAccess } from './access.ts';

/** A token that was rotated is used after at most this and the library's minute; both are far below its overlap. */
const freshFor = 30_000;

/** The access of now: read again as time goes by, and at once after a 401. */
export class Credentials {
  readonly #options: AccessOptions;
  readonly #clock: Clock;
  #config: KubeConfig | undefined;
  #reading: Promise<Access> | undefined;
  #last: Access | undefined;
  #readAt = 0;

  constructor(options: AccessOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Rejects with KubeError `BadCredentials`; the next call tries again. */
  current(): Promise<Access> {
    if (this.#reading && this.#clock.now() - this.#readAt < freshFor) return this.#reading;
    this.#readAt = this.#clock.now();
    const reading = this.#read();
    this.#reading = reading;
    reading.catch(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    return reading;
  }

  /** `refused` was answered with 401: nothing cached is used again, unless it is newer. */
  forget(refused: Access): void {
    if (this.#last !== refused) return;
    this.#config = undefined;
    this.#reading = undefined;
  }

  async #read(): Promise<Access> {
    this.#config ??= loadConfig(this.#options);
    this.#last = await readAccess(this.#config);
    return this.#last;
  }
}
