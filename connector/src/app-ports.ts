import { messageOf } from './base/errors.ts';
import { openSocket } from './media/rtp/socket.ts';

/** Ports that another program has. The message names address and ports. */
class PortsTaken extends Error {
  readonly code = 'EADDRINUSE';
}

/** Binds every port of the range once. Rejects with those that are taken, or for an address that is not here. */
export async function checkPorts({
  address,
  ports,
}: {
  readonly address: string;
  readonly ports: { readonly first: number; readonly last: number };
}): Promise<void> {
  const taken: number[] = [];
  for (let port = ports.first; port <= ports.last; port++) {
    if (await isTaken(address, port)) taken.push(port);
  }
  if (taken.length > 0)
    throw new PortsTaken(`RTP ports of ${address} are taken: ${taken.join(', ')}`);
}

/** Rejects for an address that is not one of this machine: no call could have audio. */
export async function checkAddress({ address }: { readonly address: string }): Promise<void> {
  await isTaken(address, 0);
}

async function isTaken(address: string, port: number): Promise<boolean> {
  try {
    const socket = await openSocket({ address, port });
    await socket.close();
    return false;
  } catch (error) {
    if (isAddressTaken(error)) return true;
    throw new Error(`RTP cannot be bound to ${address}: ${messageOf(error)}`, { cause: error });
  }
}

/** True for the failure to bind an address and port that another program has. */
export function isAddressTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'EADDRINUSE') || isAddressTaken(error.cause);
}
