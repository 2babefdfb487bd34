import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/fixtures/sip/mutate.ts';
import { orderSrv, type SrvRecord } from './srv-order.ts';

const srv = (name: string, priority: number, weight: number): SrvRecord => ({
  name,
  priority,
  weight,
  port: 5060,
});

const names = (records: readonly SrvRecord[]) => records.map((record) => record.name).join(' ');

test.each([
  { given: [], random: 0, want: '' },
  { given: [srv('a', 1, 0)], random: 0.99, want: 'a' },
  { given: [srv('b', 20, 9), srv('a', 10, 1)], random: 0.99, want: 'a b' },
  { given: [srv('a', 1, 10), srv('b', 1, 90)], random: 0, want: 'a b' },
  { given: [srv('a', 1, 10), srv('b', 1, 90)], random: 0.5, want: 'b a' },
  { given: [srv('a', 1, 0), srv('b', 1, 1)], random: 0, want: 'a b' },
  { given: [srv('b', 1, 1), srv('a', 1, 0)], random: 0.99, want: 'b a' },
  { given: [srv('a', 1, 0), srv('b', 1, 0)], random: 0.99, want: 'a b' },
])('$given at $random: $want', ({ given, random, want }) => {
  expect(names(orderSrv(given, () => random))).toBe(want);
});

test('over many draws a server is first as often as its weight says', () => {
  const random = seededRandom(2782);
  const records = [srv('a', 1, 60), srv('b', 1, 30), srv('c', 1, 10)];
  const first = { a: 0, b: 0, c: 0 };
  for (let round = 0; round < 10_000; round++) {
    const [winner] = orderSrv(records, random);
    if (winner && winner.name in first) first[winner.name as keyof typeof first]++;
  }
  expect(first.a / 10_000).toBeCloseTo(0.6, 1);
  expect(first.b / 10_000).toBeCloseTo(0.3, 1);
  expect(first.c / 10_000).toBeCloseTo(0.1, 1);
});
