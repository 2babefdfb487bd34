import { AddressRanges } from './base/address-ranges.ts';
import type { Config } from './config.ts';

/** The configuration in use. What may change while the process runs is asked for here when it is needed. */
export class LiveConfig {
  #config: Config;
  /** The last that asked for a digest: whether one is asked for changes with a restart only. */
  #guarded: Config;
  #ranges: AddressRanges | undefined;

  constructor(config: Config) {
    this.#config = config;
    this.#guarded = config;
    this.#ranges = rangesOf(config);
  }

  get config(): Config {
    return this.#config;
  }

  use(config: Config): void {
    this.#config = config;
    if (config.sip.auth) this.#guarded = config;
    this.#ranges = rangesOf(config);
  }

  /** Of `/v1`. */
  readonly token = (): string | undefined => this.#config.secrets.get('http.token');

  /** Whether new requests may come from an IP address. */
  readonly accepts = (address: string): boolean => this.#ranges?.has(address) ?? true;

  /** Of a user of SIP digest; undefined where there is none of that name. */
  readonly passwordOf = (username: string): string | undefined => {
    const { sip, secrets } = this.#guarded;
    const index = (sip.auth?.users ?? []).findIndex(({ name }) => name === username);
    return secrets.get(`sip.auth.users.${index}.password`);
  };
}

function rangesOf({ sip: { sourceRanges } }: Config): AddressRanges | undefined {
  return sourceRanges && new AddressRanges(sourceRanges);
}
