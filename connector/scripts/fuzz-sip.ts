import { mutate, seededRandom } from '../test/fixtures/sip/mutate.ts';
import { torture, tortureBytes } from '../test/fixtures/sip/rfc4475/answers.ts';
import { instabilityOf } from '../test/fixtures/sip/stable.ts';

/**
 * Mutates the RFC 4475 messages and checks that the parser returns and that what it accepts is stable:
 * `node connector/scripts/fuzz-sip.ts [rounds] [seed]`. Exit code 1, and the message in base64, at the first fault.
 */
const rounds = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 4475);
/** CPU time in ms that no message of this size may take. */
const slowest = 50;

const fixtures = torture.map(({ name }) => tortureBytes(name));
const random = seededRandom(seed);
const started = performance.now();

for (let round = 0; round < rounds; round++) {
  const fixture = fixtures[Math.floor(random() * fixtures.length)] ?? Buffer.alloc(0);
  const bytes = mutate(fixture, random);
  const before = process.cpuUsage();
  const fault = faultOf(bytes);
  if (fault !== undefined) {
    process.stdout.write(`round ${round}, seed ${seed}: ${fault}\n${bytes.toString('base64')}\n`);
    process.exit(1);
  }
  const took = process.cpuUsage(before).user / 1000;
  if (took > slowest) process.stdout.write(`round ${round}: ${took.toFixed(0)} ms of CPU\n`);
}
process.stdout.write(
  `${rounds} messages in ${((performance.now() - started) / 1000).toFixed(1)} s, seed ${seed}: stable\n`,
);

function faultOf(bytes: Buffer): string | undefined {
  try {
    return instabilityOf(bytes);
  } catch (error) {
    return String(error);
  }
}
