import { formatAuth } from './auth-value.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { algorithms, digestOf } from './digest.ts';

/** Who we are to a server. */
export interface Identity {
  readonly username: string;
  readonly password: string;
}

/** The request to be authorized. */
export interface AuthorizedRequest {
  readonly method: string;
  /** Its Request-URI, as it is sent. */
  readonly uri: string;
  /** Unpredictable text of ours, new for each nonce. */
  readonly cnonce: string;
  /** How often this nonce has been used, this time included. */
  readonly nonceCount: number;
}

/**
 * The strongest challenge of a response that can be answered; the values are those of its
 * WWW-Authenticate (or Proxy-Authenticate) headers, of one realm.
 */
export function strongestChallenge(values: readonly string[]): Challenge | undefined {
  return values
    .map((value) => parseChallenge(value))
    .filter((each) => each !== undefined)
    .toSorted((a, b) => algorithms.indexOf(a.algorithm) - algorithms.indexOf(b.algorithm))[0];
}

const bare = new Set(['algorithm', 'qop', 'nc']);

/** The value of Authorization (or Proxy-Authorization) that answers a challenge. */
export function authorize(
  challenge: Challenge,
  identity: Identity,
  request: AuthorizedRequest,
): string {
  const { realm, nonce, algorithm, isSession, opaque, hasQop } = challenge;
  const nc = request.nonceCount.toString(16).padStart(8, '0');
  const qop = { cnonce: request.cnonce, nc };
  const response = digestOf({
    algorithm,
    isSession,
    realm,
    nonce,
    ...identity,
    method: request.method,
    uri: request.uri,
    ...(hasQop && { qop }),
  });
  const params: [string, string][] = [
    ['username', identity.username],
    ['realm', realm],
    ['nonce', nonce],
    ['uri', request.uri],
    ['response', response],
    ['algorithm', isSession ? `${algorithm}-sess` : algorithm],
  ];
  if (opaque !== undefined) params.push(['opaque', opaque]);
  if (hasQop) params.push(['qop', 'auth'], ['nc', nc]);
  if (hasQop || isSession) params.push(['cnonce', request.cnonce]);
  return formatAuth(params, bare);
}
