import { formatAuth, parseAuth } from './auth-value.ts';
import { type Algorithm, algorithmOf } from './digest.ts';

/** A digest challenge that can be answered (RFC 7616 §3.3). */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly algorithm: Algorithm;
  readonly isSession: boolean;
  /** True when the password was right, but the nonce too old. */
  readonly isStale: boolean;
  /** True when `auth` is among the qop values; false when there is no qop at all. */
  readonly hasQop: boolean;
}

/** Parses WWW-Authenticate or Proxy-Authenticate; undefined when malformed or not supported. */
export function parseChallenge(text: string): Challenge | undefined {
  const value = parseAuth(text);
  if (value?.scheme.toLowerCase() !== 'digest') return undefined;
  const { params } = value;
  const [realm, nonce, opaque] = [params.get('realm'), params.get('nonce'), params.get('opaque')];
  const algorithm = algorithmOf(params.get('algorithm'));
  const qop = params
    .get('qop')
    ?.toLowerCase()
    .split(',')
    .map((each) => each.trim());
  if (realm === undefined || !nonce || !algorithm || qop?.includes('auth') === false) {
    return undefined;
  }
  return {
    realm,
    nonce,
    ...(opaque !== undefined && { opaque }),
    ...algorithm,
    isStale: params.get('stale')?.toLowerCase() === 'true',
    hasQop: qop !== undefined,
  };
}

const bare = new Set(['algorithm', 'stale']);

/** One challenge as a server sends it: `qop="auth"`, algorithm named. */
export function formatChallenge(challenge: {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly isStale: boolean;
}): string {
  const params = [
    ['realm', challenge.realm],
    ['nonce', challenge.nonce],
    ['qop', 'auth'],
    ['algorithm', challenge.algorithm],
  ] as const;
  return formatAuth(challenge.isStale ? [...params, ['stale', 'true']] : params, bare);
}
