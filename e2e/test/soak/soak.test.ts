import { expect, test } from 'vitest';
import { soak } from '../../soak/soak.ts';

test('three rounds of calls leave no socket, timer, worker or port behind, and no heap', {
  timeout: 300_000,
}, async () => {
  const { rounds, exitCode } = await soak({
    calls: 30,
    rounds: 3,
    round: 8000,
    at: { sip: '127.0.0.1:5587', http: '127.0.0.1:8787', model: '127.0.0.1:8786' },
  });
  const [first, , last] = rounds;
  if (!first || !last) throw new Error('no rounds');
  for (const round of rounds) {
    expect(round.callsPlaced).toBeGreaterThanOrEqual(30);
    expect(round.framesBack).toBeGreaterThan(1000);
    expect(round.activeCalls).toBe(0);
    // Sockets, workers and timers by kind. A timer or a scrape's socket more may be of the moment; what
    // calls leave would be tens.
    for (const [kind, count] of Object.entries(round.resources))
      expect({ kind, count }).toSatisfy(
        (held: { count: number }) => held.count <= (first.resources[kind] ?? 0) + 2,
      );
  }
  expect(last.portsFree).toBe(first.portsFree);
  // Two rounds are some 60 calls: 20 KiB for each would be 1.2 MiB.
  expect(last.heap - first.heap).toBeLessThan(2 ** 20);
  expect(exitCode).toBe(0);
});
