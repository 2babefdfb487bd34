/**
 * Slots: a pod on the host network gets one of 39 blocks of 256 ports, 20000 to 29983. The first two
 * ports are declared, so that the scheduler never puts two pods of a slot on one node; the rest
 * follows from them.
 *
 *   +0 SIP (UDP and TCP) · +1 HTTP · +2…+15 spare · +16…+255 RTP (even) and RTCP (odd)
 */
export const slotCount = 39;

const firstPort = 20_000;
const blockSize = 256;

export interface SlotPorts {
  readonly sip: number;
  readonly http: number;
  readonly firstRtp: number;
  readonly lastRtp: number;
}

export function portsOf(slot: number): SlotPorts {
  const base = firstPort + slot * blockSize;
  return { sip: base, http: base + 1, firstRtp: base + 16, lastRtp: base + 255 };
}

/** Where a slot is in use; without a node the scheduler has not decided yet. */
export interface SlotUse {
  readonly slot: number;
  readonly node: string | undefined;
  /** The scheduler found no node with the ports free, whoever has them. */
  readonly isStuck?: boolean;
}

/**
 * The lowest slot that the scheduler can still place on one of `nodes` (those that may take the pod).
 * Where there is none, `isFree` is false and the slot the one that fewest pods wait for: a cluster
 * autoscaler sees the pod and adds a node.
 */
export function chooseSlot(
  uses: readonly SlotUse[],
  nodes: ReadonlySet<string>,
): { readonly slot: number; readonly isFree: boolean } {
  const room = Array.from({ length: slotCount }, (_, slot) => roomIn(slot, uses, nodes));
  const free = room.findIndex((one) => one > 0);
  if (free >= 0) return { slot: free, isFree: true };
  return { slot: room.indexOf(Math.max(...room)), isFree: false };
}

/** Nodes on which the slot is free, minus the pods that wait for one of them. */
function roomIn(slot: number, uses: readonly SlotUse[], nodes: ReadonlySet<string>): number {
  const own = uses.filter((use) => use.slot === slot);
  const waiting = own.filter(({ node }) => node === undefined).length;
  if (own.some(({ isStuck }) => isStuck)) return -waiting;
  const taken = new Set(
    own.flatMap(({ node }) => (node !== undefined && nodes.has(node) ? [node] : [])),
  );
  return nodes.size - taken.size - waiting;
}
