/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/**
 * The order in which servers are tried: lowest priority first; among equals drawn by weight, those of
 * weight 0 with a small chance of being first (RFC 2782). `random` returns numbers in [0, 1).
 */
export function orderSrv(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const group = byPriority.get(record.priority);
    if (group) group.push(record);
    else byPriority.set(record.priority, [record]);
  }
  return [...byPriority.keys()]
    .toSorted((a, b) => a - b)
    .flatMap((priority) => drawByWeight(byPriority.get(priority) ?? [], random));
}

function drawByWeight(group: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = group.toSorted((a, b) => a.weight - b.weight);
  const drawn: SrvRecord[] = [];
  while (left.length > 0) drawn.push(...left.splice(indexOfDraw(left, random()), 1));
  return drawn;
}

/** The first record whose running sum of weights reaches a number from 0 to the sum, both included. */
function indexOfDraw(records: readonly SrvRecord[], chance: number): number {
  const sum = records.reduce((total, record) => total + record.weight, 0);
  const wanted = Math.floor(chance * (sum + 1));
  let running = 0;
  const at = records.findIndex((record) => {
    running += record.weight;
    return running >= wanted;
  });
  return Math.max(at, 0);
}
