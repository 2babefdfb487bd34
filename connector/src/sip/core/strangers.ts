import type { SipRequest } from '../message/message.ts';
import type { Received, Remote } from '../transport/transport.ts';
import type { Core } from './core.ts';
import { findDialog, notifyKeyOf } from './dialog-of.ts';

/** Where new requests may come from, by IP address. */
export type Accepts = (address: string) => boolean;

/**
 * Turns away those who have no business here: what begins something new gets no answer, for an answer
 * would tell scanners that somebody listens. What belongs to something that is goes through, wherever
 * it comes from.
 */
export class Strangers {
  readonly #core: Core;
  readonly #accepts: Accepts;
  #count = 0;

  constructor(core: Core, accepts: Accepts) {
    this.#core = core;
    this.#accepts = accepts;
  }

  /** Messages that were turned away since the start. */
  get count(): number {
    return this.#count;
  }

  /** True when the message is not to be looked at any further. */
  turnAway({ message, remote }: Received): boolean {
    if (message.kind === 'response') return false;
    return !this.#accepts(remote.address) && !this.#isKnown(message) && this.#drop(remote);
  }

  /** The same for what could not be read, and so belongs to nothing. */
  turnAwayMalformed(remote: Remote): boolean {
    return !this.#accepts(remote.address) && this.#drop(remote);
  }

  #isKnown(request: SipRequest): boolean {
    const { layer, dialogs, awaitingNotify } = this.#core;
    if (layer.knows(request) || findDialog(dialogs, request)) return true;
    return request.method === 'NOTIFY' && awaitingNotify.has(notifyKeyOf(request));
  }

  #drop(remote: Remote): true {
    this.#count += 1;
    this.#core.transport.disconnect(remote);
    return true;
  }
}
