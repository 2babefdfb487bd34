import type { Clock } from '../../base/clock.ts';
import { param } from '../message/params.ts';
import { parseSipUri } from '../message/uri.ts';
import type { Remote, Transport } from '../transport/transport.ts';

/** RFC 3261 §18.1.1, of requests whose path's MTU is not known. */
const largestDatagram = 1_300;
/** How long a peer without TCP is not asked for it again, ms: a dropped SYN costs the caller seconds. */
const memory = 10 * 60_000;
const mostRemembered = 1_000;

/** Which requests go over TCP though their target was found for UDP, for they are too large for it. */
export class LargeRequests {
  readonly #transport: Transport;
  readonly #clock: Clock;
  /** When peers could not be reached by TCP, oldest first. */
  readonly #refused = new Map<string, number>();

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** The same peer over TCP; undefined where the request stays as it is. `nextHop` has led to it. */
  insteadOf(remote: Remote, nextHop: string, sizeBytes: number): Remote | undefined {
    if (remote.protocol !== 'udp' || sizeBytes <= largestDatagram) return undefined;
    const uri = parseSipUri(nextHop);
    if (!uri || param(uri.params, 'transport') !== undefined) return undefined;
    const { address, port } = remote;
    const tcp: Remote = { protocol: 'tcp', address, port };
    return this.#hasRefused(keyOf(tcp)) || !this.#transport.localFor(tcp) ? undefined : tcp;
  }

  /** No connection: until it is forgotten, large requests take their chance over UDP. */
  refused(remote: Remote): void {
    const key = keyOf(remote);
    this.#refused.delete(key);
    this.#refused.set(key, this.#clock.now());
    if (this.#refused.size <= mostRemembered) return;
    const [oldest] = this.#refused.keys();
    if (oldest !== undefined) this.#refused.delete(oldest);
  }

  #hasRefused(key: string): boolean {
    const since = this.#refused.get(key);
    return since !== undefined && this.#clock.now() - since < memory;
  }
}

function keyOf({ address, port }: Remote): string {
  return `${address} ${port}`;
}
