import { isScanner, knownScanners } from '../guard/scanner.ts';
import { type Block, type DropReason, SourceGuard } from '../guard/source-guard.ts';
import { sourceKey } from '../guard/source-key.ts';
import type { SipRequest } from '../message/message.ts';
import type { Received, Remote } from '../transport/transport.ts';
import type { Core } from './core.ts';
import { findDialog, notifyKeyOf } from './dialog-of.ts';

/** Where new requests may come from, by IP address. */
export type Accepts = (address: string) => boolean;

/** Who may begin something, and who is not watched while doing it. */
export interface Doors {
  readonly accepts: Accepts;
  /** Sources that are never limited or blocked: trunks, whose addresses others could forge (UDP). */
  readonly trusts: Accepts;
  /** Parts of the User-Agent of scanners, in lower case. */
  readonly scanners?: (() => readonly string[]) | undefined;
}

/**
 * Turns away those who have no business here: what begins something new gets no answer, for an answer
 * would tell scanners that somebody listens. What belongs to something that is goes through, wherever
 * it comes from.
 */
export class Strangers {
  readonly #core: Core;
  readonly #doors: Doors;
  readonly #guard = new SourceGuard();
  readonly #drops: Record<DropReason, number> = { blocked: 0, scanner: 0, rate: 0, malformed: 0 };
  #count = 0;

  constructor(core: Core, doors: Doors) {
    this.#core = core;
    this.#doors = doors;
  }

  /** Messages from outside of the accepted ranges since the start. */
  get count(): number {
    return this.#count;
  }

  /** Messages from inside of them that got no answer since the start. */
  get drops(): Readonly<Record<DropReason, number>> {
    return this.#drops;
  }

  /** True when the message is not to be looked at any further. */
  turnAway({ message, remote }: Received): boolean {
    if (message.kind === 'response') return false;
    const { accepts, trusts } = this.#doors;
    if (!accepts(remote.address)) return !this.#isKnown(message) && this.#refuse(remote);
    if (trusts(remote.address)) return false;
    return !this.#isKnown(message) && this.#watch(message, remote);
  }

  /** The same for what could not be read, and so belongs to nothing. */
  turnAwayMalformed(remote: Remote): boolean {
    const { accepts, trusts } = this.#doors;
    if (!accepts(remote.address)) return this.#refuse(remote);
    if (trusts(remote.address)) return false;
    const now = this.#core.clock.now();
    const key = keyOf(remote);
    if (this.#guard.isBlocked(key, now)) return this.#drop(remote, 'blocked');
    const block = this.#guard.malformed(key, now);
    return block ? this.#drop(remote, 'malformed', block) : false;
  }

  /** A wrong password in a request, which is answered; what follows may meet silence. */
  hasFailed(remote: Remote): void {
    const { accepts, trusts } = this.#doors;
    if (!accepts(remote.address) || trusts(remote.address)) return;
    const block = this.#guard.failed(keyOf(remote), this.#core.clock.now());
    if (block) this.#tell(block, remote);
  }

  #watch(request: SipRequest, remote: Remote): boolean {
    const now = this.#core.clock.now();
    const key = keyOf(remote);
    if (this.#guard.isBlocked(key, now)) return this.#drop(remote, 'blocked');
    if (isScanner(request, this.#doors.scanners?.() ?? knownScanners)) {
      return this.#drop(remote, 'scanner', this.#guard.scanned(key, now));
    }
    // The connection stays: calls that are up may use it.
    if (this.#guard.spendRequest(key, now)) return false;
    this.#drops.rate += 1;
    return true;
  }

  #isKnown(request: SipRequest): boolean {
    const { layer, dialogs, awaitingNotify } = this.#core;
    if (layer.knows(request) || findDialog(dialogs, request)) return true;
    return request.method === 'NOTIFY' && awaitingNotify.has(notifyKeyOf(request));
  }

  #refuse(remote: Remote): true {
    this.#count += 1;
    this.#core.transport.disconnect(remote);
    return true;
  }

  #drop(remote: Remote, reason: DropReason, block?: Block): true {
    this.#drops[reason] += 1;
    if (block) this.#tell(block, remote);
    this.#core.transport.disconnect(remote);
    return true;
  }

  #tell(block: Block, { protocol, address }: Remote): void {
    const fields = { ...block, protocol, pii: { address } };
    this.#core.log.warn(fields, 'a source of SIP messages is blocked');
  }
}

/** UDP apart: its addresses can be forged, and that must not close the door of TCP and TLS. */
function keyOf({ protocol, address }: Remote): string {
  const key = sourceKey(address);
  return protocol === 'udp' ? key : `${key} stream`;
}
