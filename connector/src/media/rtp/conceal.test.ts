import { expect, test } from 'vitest';
import { decode, encode, silenceByte } from '../audio/g711.ts';
import { conceal } from './conceal.ts';

test.each(['pcmu', 'pcma'] as const)('a loss in %s fades from the last sound to silence', (law) => {
  const last = encode(law, new Int16Array(160).fill(8000));
  const filled = conceal(law, last, 800);
  const samples = decode(law, filled);
  expect(filled).toHaveLength(800);
  expect(samples[0]).toBeGreaterThan(7500);
  expect(samples[240]).toBeGreaterThan(3500);
  expect(samples[240]).toBeLessThan(4500);
  expect(filled.subarray(480).every((byte) => byte === silenceByte[law])).toBe(true);
});

test('without a last sound it is silence', () => {
  expect(conceal('pcmu', Buffer.alloc(0), 3)).toEqual(Buffer.alloc(3, 0xff));
});
