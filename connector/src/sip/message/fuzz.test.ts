import { expect, test } from 'vitest';
import { mutate, seededRandom } from '../../../test/fixtures/sip/mutate.ts';
import { torture, tortureBytes } from '../../../test/fixtures/sip/rfc4475/answers.ts';
import { instabilityOf } from '../../../test/fixtures/sip/stable.ts';

test('20,000 mutated messages are refused, or parsed and serialized without change', () => {
  const random = seededRandom(3261);
  const fixtures = torture.map(({ name }) => tortureBytes(name));
  for (let round = 0; round < 20_000; round++) {
    const bytes = mutate(fixtures[Math.floor(random() * fixtures.length)]!, random);
    expect(instabilityOf(bytes), `round ${round}`).toBeUndefined();
  }
}, 60_000);
