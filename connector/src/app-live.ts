import { AddressRanges } from './base/address-ranges.ts';
import type { Credentials } from './calls/digest.ts';
import type { Config } from './config.ts';
import { knownScanners } from './sip/guard/scanner.ts';

/** The configuration in use. What may change while the process runs is asked for here when it is needed. */
export class LiveConfig {
  #config: Config;
  /** The last that asked for a digest: whether one is asked for changes with a restart only. */
  #guarded: Config;
  #ranges: AddressRanges | undefined;
  #trusted: AddressRanges;
  /** Whether callers are asked for a digest: what the server was started with. */
  readonly asksForDigest: boolean;

  constructor(config: Config) {
    this.#config = config;
    this.asksForDigest = config.sip.auth !== undefined;
    this.#guarded = config;
    this.#ranges = rangesOf(config);
    this.#trusted = new AddressRanges(config.sip.trustedRanges);
  }

  get config(): Config {
    return this.#config;
  }

  use(config: Config): void {
    this.#config = config;
    if (config.sip.auth) this.#guarded = config;
    this.#ranges = rangesOf(config);
    this.#trusted = new AddressRanges(config.sip.trustedRanges);
  }

  /** Of `/v1`. */
  readonly token = (): string | undefined => this.#config.secrets.get('http.token');

  /** Whether new requests may come from an IP address. */
  readonly accepts = (address: string): boolean => this.#ranges?.has(address) ?? true;

  /** Sources that are never limited or blocked: who is listed by address is trusted by it. */
  readonly trusts = (address: string): boolean =>
    (this.#ranges?.has(address) ?? false) || this.#trusted.has(address);

  /** What scanners call themselves, in lower case. */
  readonly scanners = (): readonly string[] => this.#config.sip.scanners ?? knownScanners;

  /** Ours where a request is challenged: those of the realm, else those for any. */
  readonly credentialsOf = (realm: string): Credentials | undefined => {
    const { sip, secrets } = this.#config;
    const exact = sip.credentials.findIndex((each) => each.realm === realm);
    const index = exact < 0 ? sip.credentials.findIndex((each) => each.realm === undefined) : exact;
    const username = sip.credentials[index]?.user;
    const password = secrets.get(`sip.credentials.${index}.password`);
    return username === undefined || password === undefined ? undefined : { username, password };
  };

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
