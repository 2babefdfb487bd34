import { withHeaderFirst } from '../message/headers.ts';
import { serialize } from '../message/serialize.ts';
import type { Remote } from '../transport/transport.ts';
import { Refusal } from '../user-agent.ts';
import type { Core } from './core.ts';
import { viaOf } from './own-address.ts';
import type { Departure, Order } from './sending.ts';
import { targetsOf } from './targets.ts';
import { traceOfRequest } from './trace.ts';

/** An ACK that went out, and where to, so that it can be sent again. */
export interface AckDeparture extends Departure {
  readonly remote: Remote;
}

/** Sends an ACK, which has no transaction (§17), to the first address that takes it. Throws `Refusal`. */
export async function sendStateless(core: Core, order: Order): Promise<AckDeparture> {
  for (const remote of await targetsOf(core, order)) {
    const departure = departureTo(core, order, remote);
    const large = departure && insteadOf(core, order, departure);
    if (large && (await isSent(core, large))) return large;
    // §18.1.1: who has no TCP gets it over UDP after all.
    if (large) core.large.refused(remote);
    if (departure && (await isSent(core, departure))) return departure;
  }
  throw new Refusal('unable to find route when sending request inside dialog');
}

function departureTo(core: Core, order: Order, remote: Remote): AckDeparture | undefined {
  const local = core.transport.localFor(remote);
  if (!local) return undefined;
  const via = viaOf(local, core.ids.branch());
  const request = withHeaderFirst(order.compose(local), 'Via', via);
  const bytes = serialize(request);
  return { request, bytes, trace: traceOfRequest(bytes, local, core.clock.wall()), remote };
}

/** The same over TCP, where it is too large for UDP. */
function insteadOf(core: Core, order: Order, { bytes, remote }: AckDeparture) {
  if (remote === order.preferred) return undefined;
  const tcp = core.large.insteadOf(remote, order.nextHop, bytes.length);
  return tcp && departureTo(core, order, tcp);
}

async function isSent(core: Core, { bytes, remote }: AckDeparture): Promise<boolean> {
  // A datagram is gone at once; to wait for it would only let the next request pass it.
  const sent = core.transport.send(bytes, remote);
  if (remote.protocol === 'udp') {
    sent.catch(() => undefined);
    return true;
  }
  try {
    await sent;
    return true;
  } catch {
    return false;
  }
}
