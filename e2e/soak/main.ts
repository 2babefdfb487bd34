/** `npm run soak`: an hour of 100 calls with churn, and what the connector holds in the course of it. */
import { parseArgs } from 'node:util';
import { heapGrowthPerHour, type Round, soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    calls: { type: 'string', default: '100' },
  },
});
const minutes = Number(values.minutes);
const calls = Number(values.calls);
if (!(minutes >= 6) || !(calls >= 1)) {
  process.stderr.write('soak: --minutes (6 or more) --calls (1 or more)\n');
  process.exit(2);
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

function say(round: Round): void {
  const resources = Object.entries(round.resources)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
  console.log(
    `| ${(round.at / 60_000).toFixed(1)} | ${round.callsPlaced} | ${mebibytes(round.heap)} | ${mebibytes(round.external)} | ${mebibytes(round.rss)} | ${round.portsFree} | ${resources} |`,
  );
}

console.log('| minutes | calls | heap MiB | external MiB | RSS MiB | ports free | resources |');
console.log('|---|---|---|---|---|---|---|');
// Each round is two minutes: calls, then the half minute in which SIP forgets them.
const { rounds, exitCode } = await soak({
  calls,
  rounds: Math.floor(minutes / 2),
  round: 84_000,
  at: { sip: '127.0.0.1:5577', http: '127.0.0.1:8777', model: '127.0.0.1:8776' },
  onRound: say,
});
// The first third is for code that is compiled and pools that fill.
const late = rounds.slice(Math.ceil(rounds.length / 3));
const span = (late.at(-1)?.at ?? 0) - (late[0]?.at ?? 0);
const growth = (heapGrowthPerHour(late) * span) / 3_600_000;
const isFlat = growth < 2 ** 20;
console.log(
  `\nheap growth over the last ${(span / 60_000).toFixed(0)} minutes: ${mebibytes(growth)} MiB (${isFlat ? 'flat' : 'GROWS'}, limit 1 MiB); exit code ${exitCode}`,
);
process.exit(isFlat && exitCode === 0 ? 0 : 1);
