import { parseSipUri } from '../message/uri.ts';
import { canConnect } from '../transport/protocol.ts';
import type { Remote } from '../transport/transport.ts';
import { Refusal } from '../user-agent.ts';
import type { Core } from './core.ts';

/** Where something is to be sent. */
export interface Hop {
  /** URI that decides the addresses. */
  readonly nextHop: string;
  /** Tried before those. */
  readonly preferred?: Remote;
}

/**
 * Addresses in the order to be tried, none when there are none. Throws `Refusal` when the URI asks for
 * what no listen point can do.
 */
export async function targetsOf(
  core: Core,
  { nextHop, preferred }: Hop,
): Promise<readonly Remote[]> {
  // Nothing sent over UDP fails at once, and a WebSocket's client is nowhere else: nothing is looked up.
  if (preferred && (preferred.protocol === 'udp' || !canConnect(preferred.protocol))) {
    return [preferred];
  }
  const first = preferred ? [preferred] : [];
  const uri = parseSipUri(nextHop);
  if (!uri) return first;
  const resolution = await core.resolve(uri);
  if (resolution.kind === 'targets') {
    const found = [...first, ...resolution.targets];
    const usable = found.filter((remote) => core.transport.localFor(remote));
    if (usable.length > 0 || found.length === 0) return usable;
    throw new Refusal(unavailable);
  }
  if (resolution.code === 'UNSUPPORTED' && first.length === 0) throw new Refusal(unavailable);
  core.log.info({ code: resolution.code }, 'next hop has no address');
  return first;
}

const unavailable = 'requested protocol/transport not available';
