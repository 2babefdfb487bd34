import { timingSafeEqual } from 'node:crypto';
import { formatChallenge } from './challenge.ts';
import { type Credentials, parseCredentials } from './credentials.ts';
import { type Algorithm, digestOf } from './digest.ts';
import { checkNonce, createNonce, type NonceKey } from './nonce.ts';
import type { ReplayGuard } from './replay-guard.ts';

/** What a server challenges and verifies with. */
export interface Authority {
  readonly realm: string;
  readonly key: NonceKey;
  /** Offered and accepted, most liked first (RFC 8760 §2.3). */
  readonly algorithms: readonly Algorithm[];
  readonly guard: ReplayGuard;
  /** Undefined for users that do not exist. */
  readonly passwordOf: (username: string) => string | undefined;
}

/**
 * The WWW-Authenticate (or Proxy-Authenticate) values of a 401 (407), one for each algorithm. `now` is ms
 * since the epoch, `salt` 8 random bytes.
 */
export function challenge(
  { realm, key, algorithms }: Authority,
  { now, salt, isStale = false }: { now: number; salt: Buffer; isStale?: boolean },
): string[] {
  const nonce = createNonce(key, now, salt);
  return algorithms.map((algorithm) => formatChallenge({ realm, nonce, algorithm, isStale }));
}

/** What credentials are worth. After `stale` the client is challenged again and need not ask its user. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly username: string }
  | { readonly kind: 'stale' }
  | {
      readonly kind: 'refused';
      readonly reason: 'none' | 'malformed' | 'nonce' | 'password';
    };

/** Judges the credentials of a request: its Authorization (or Proxy-Authorization) values. */
export function verify(
  authority: Authority,
  values: readonly string[],
  request: { readonly method: string; readonly now: number },
): Verdict {
  if (values.length === 0) return { kind: 'refused', reason: 'none' };
  const credentials = values
    .map((value) => parseCredentials(value))
    .find((each) => each?.realm === authority.realm);
  if (!credentials || !authority.algorithms.includes(credentials.algorithm)) {
    return { kind: 'refused', reason: 'malformed' };
  }
  const state = checkNonce(authority.key, credentials.nonce, request.now);
  if (state === 'forged') return { kind: 'refused', reason: 'nonce' };
  if (!isRightPassword(authority, credentials, request.method)) {
    return { kind: 'refused', reason: 'password' };
  }
  const count = Number.parseInt(credentials.nc, 16);
  // Only right passwords are noted, so that strangers cannot fill the memory.
  if (state === 'stale' || !authority.guard.use(credentials.nonce, count, request.now)) {
    return { kind: 'stale' };
  }
  return { kind: 'accepted', username: credentials.username };
}

function isRightPassword(authority: Authority, credentials: Credentials, method: string): boolean {
  const { cnonce, nc, response, ...rest } = credentials;
  const password = authority.passwordOf(credentials.username);
  // Computed for unknown users as well, so that the time taken does not tell them apart.
  const expected = digestOf({ ...rest, method, password: password ?? '', qop: { cnonce, nc } });
  const isEqual =
    expected.length === response.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(response));
  return isEqual && password !== undefined;
}
