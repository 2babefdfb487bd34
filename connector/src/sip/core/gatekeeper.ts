import type { Clock } from '../../base/clock.ts';
import type { Algorithm } from '../auth/digest.ts';
import { ReplayGuard } from '../auth/replay-guard.ts';
import { type Authority, challenge, verify } from '../auth/verify.ts';
import { headers } from '../message/headers.ts';
import type { Header, SipRequest } from '../message/message.ts';
import type { Remote } from '../transport/transport.ts';
import type { Ids } from './ids.ts';

/** Who may begin something with this server. */
export interface InboundAuth {
  readonly realm: string;
  /** Offered in this order, and accepted. */
  readonly algorithms?: readonly Algorithm[];
  /** Undefined for users that do not exist. */
  readonly passwordOf: (username: string) => string | undefined;
}

/** How long a nonce can be used. */
const nonceLifetime = 5 * 60_000;

/** Nonces that are remembered, so that credentials serve once. */
const nonceCapacity = 100_000;

/**
 * MD5 first: a client takes the first it knows (RFC 8760 §2.4), and old ones look at the first only. SHA-256
 * is for those that refuse MD5.
 */
const offered: readonly Algorithm[] = ['MD5', 'SHA-256'];

/** Requests that anybody may send: OPTIONS asks only whether somebody is there. */
const open = new Set(['OPTIONS', 'ACK', 'CANCEL']);

/** Asks callers for a digest (RFC 3261 §22.2, RFC 8760) before the user sees their requests. */
export class Gatekeeper {
  readonly #authority: Authority;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #onWrongPassword: (remote: Remote) => void;

  constructor(
    auth: InboundAuth,
    { clock, ids }: { clock: Clock; ids: Ids },
    onWrongPassword: (remote: Remote) => void,
  ) {
    this.#onWrongPassword = onWrongPassword;
    this.#clock = clock;
    this.#ids = ids;
    this.#authority = {
      realm: auth.realm,
      passwordOf: auth.passwordOf,
      algorithms: auth.algorithms ?? offered,
      key: { secret: ids.bytes(32), lifetime: nonceLifetime },
      guard: new ReplayGuard({ lifetime: 2 * nonceLifetime, capacity: nonceCapacity }),
    };
  }

  /** The headers of the 401 that a new request has to get; undefined when it may pass. */
  challengeTo(request: SipRequest, remote: Remote): Header[] | undefined {
    if (open.has(request.method)) return undefined;
    // Monotonic: a step of the wall clock makes no nonce older. Whole ms, as nonces hold them.
    const now = Math.floor(this.#clock.now());
    const { method } = request;
    const verdict = verify(this.#authority, headers(request, 'authorization'), { method, now });
    if (verdict.kind === 'accepted') return undefined;
    if (verdict.kind === 'refused' && verdict.reason === 'password') this.#onWrongPassword(remote);
    const isStale = verdict.kind === 'stale';
    return challenge(this.#authority, { now, salt: this.#ids.bytes(8), isStale }).map((value) => ({
      name: 'WWW-Authenticate',
      value,
    }));
  }
}
