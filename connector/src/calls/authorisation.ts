import {
  type Challenge,
  type Credentials,
  type CredentialsOf,
  challengesOf,
  digestAnswer,
} from './digest.ts';
import type { Headers, Reply } from './signalling.ts';

/** More would be a chain of proxies that nobody has. */
const mostAnswers = 5;

/** Credentials that one request collects on its way (RFC 3261 §22.2, §22.3): those of each realm, once. */
export class Authorisation {
  readonly #credentialsOf: CredentialsOf;
  readonly #nonce: () => string;
  /** By header and realm: whether a stale nonce was answered already. */
  readonly #answered = new Map<string, 'once' | 'again'>();
  readonly #values = new Map<string, Map<string, string>>();
  #count = 0;

  constructor(credentialsOf: CredentialsOf, nonce: () => string) {
    this.#credentialsOf = credentialsOf;
    this.#nonce = nonce;
  }

  /** Headers of the next try after a 401 or 407; undefined where there is none to be made. */
  after(
    reply: Pick<Reply, 'status' | 'header'>,
    request: { readonly method: string; readonly uri: string },
  ): Headers | undefined {
    const isProxy = reply.status === 407;
    const field = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const header = reply.header(isProxy ? 'proxy-authenticate' : 'www-authenticate') ?? '';
    if (++this.#count > mostAnswers) return undefined;
    const choices = challengesOf(header).map((challenge) => this.#choose(field, challenge));
    const chosen = firstOfEachRealm(choices.filter((each) => each !== undefined));
    if (chosen.length === 0) return undefined;
    for (const { challenge, credentials } of chosen) {
      const value = digestAnswer(challenge, {
        ...request,
        credentials,
        clientNonce: this.#nonce(),
      });
      this.#keep(field, challenge, value);
    }
    return this.#headers();
  }

  #choose(field: string, challenge: Challenge): Choice | undefined {
    const credentials = this.#credentialsOf(challenge.realm);
    const before = this.#answered.get(`${field} ${challenge.realm}`);
    if (!credentials || before === 'again') return undefined;
    return before === 'once' && !challenge.isStale ? undefined : { challenge, credentials };
  }

  #keep(field: string, { realm }: Challenge, value: string): void {
    const key = `${field} ${realm}`;
    this.#answered.set(key, this.#answered.has(key) ? 'again' : 'once');
    const values = this.#values.get(field) ?? new Map<string, string>();
    this.#values.set(field, values.set(realm, value));
  }

  #headers(): Headers {
    return Object.fromEntries(
      [...this.#values].map(([field, values]) => [field, [...values.values()].join(', ')]),
    );
  }
}

interface Choice {
  readonly challenge: Challenge;
  readonly credentials: Credentials;
}

/** RFC 8760 §2.4: of the algorithms of a realm the first that is known. */
function firstOfEachRealm(choices: readonly Choice[]): Choice[] {
  const realms = new Map<string, Choice>();
  for (const choice of choices)
    if (!realms.has(choice.challenge.realm)) realms.set(choice.challenge.realm, choice);
  return [...realms.values()];
}
