import { array, assert, integer, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { maxHeldPackets, ReorderBuffer, reorderWait } from './reorder.ts';

function buffer() {
  const passed: { item: number; missing: number }[] = [];
  const reorder = new ReorderBuffer<number>({
    onItem: (item, missing) => void passed.push({ item, missing }),
  });
  return { reorder, passed, items: () => passed.map(({ item }) => item) };
}

test('packets in order pass at once', () => {
  const { reorder, items } = buffer();
  for (const [index, sequence] of [65_534, 65_535, 0, 1].entries()) {
    reorder.push(sequence, sequence, index * 20);
    expect(items()).toHaveLength(index + 1);
  }
  expect(items()).toEqual([65_534, 65_535, 0, 1]);
  expect(reorder.heldCount).toBe(0);
});

test('a gap is waited for, then given up, and what comes for it later is late', () => {
  const { reorder, passed } = buffer();
  reorder.push(10, 10, 0);
  reorder.push(13, 13, 20);
  reorder.expire(20 + reorderWait - 1);
  expect(passed).toHaveLength(1);
  reorder.expire(20 + reorderWait);
  expect(passed.at(-1)).toEqual({ item: 13, missing: 2 });
  reorder.push(11, 11, 100);
  expect([passed.length, reorder.late]).toEqual([2, 1]);
});

test('a packet that is held already is dropped', () => {
  const { reorder, items } = buffer();
  for (const sequence of [1, 3, 3, 4, 3, 2]) reorder.push(sequence, sequence, 0);
  expect(items()).toEqual([1, 2, 3, 4]);
});

test.each([20, 20_000])(
  'a sender that starts anew at %i is heard, and nothing was lost',
  (anew) => {
    const { reorder, passed } = buffer();
    for (const sequence of [1000, 1001, anew, anew + 1]) reorder.push(sequence, sequence, 0);
    expect(passed).toEqual([1000, 1001, anew, anew + 1].map((item) => ({ item, missing: 0 })));
  },
);

test('a restart passes on what is held, in order', () => {
  const { reorder, items } = buffer();
  for (const sequence of [5, 9, 7]) reorder.push(sequence, sequence, 0);
  reorder.restart();
  reorder.push(3, 3, 0);
  expect(items()).toEqual([5, 7, 9, 3]);
});

/** A first packet, then the others with each moved back by less than the window. */
const shuffled = record({
  first: nat(0xffff),
  delays: array(integer({ min: 0, max: maxHeldPackets - 1 }), { maxLength: 60 }),
}).map(({ first, delays }) => {
  const order = delays
    .map((delay, index) => ({ index: index + 1, key: index + delay }))
    .toSorted((a, b) => a.key - b.key || a.index - b.index)
    .map(({ index }) => index);
  return { first, order: [0, ...order] };
});

test('any order within the window comes out as it was sent', () => {
  assert(
    property(shuffled, ({ first, order }) => {
      const { reorder, passed } = buffer();
      for (const index of order) reorder.push((first + index) & 0xffff, index, 0);
      expect(passed).toEqual(order.map((_, item) => ({ item, missing: 0 })));
    }),
  );
});

test('whatever comes and whatever is lost, order holds and nobody waits longer than the bound', () => {
  const arrivals = array(record({ step: integer({ min: -5, max: 12 }), wait: nat(30) }), {
    maxLength: 80,
  });
  assert(
    property(nat(0xffff), arrivals, (first, packets) => {
      let now = 0;
      let place = 0;
      let last = -1;
      const reorder = new ReorderBuffer<{ place: number; at: number }>({
        onItem: (item, missing) => {
          expect(item.place).toBe(last + missing + 1);
          expect(now - item.at).toBeLessThanOrEqual(reorderWait);
          last = item.place;
        },
      });
      reorder.push(first, { place: 0, at: 0 }, 0);
      for (const { step, wait } of packets) {
        // The frames of the call go on between packets, here one each ms.
        for (let ms = 0; ms < wait; ms++) reorder.expire(++now);
        place = Math.max(0, place + step);
        reorder.push((first + place) & 0xffff, { place, at: now }, now);
        expect(reorder.heldCount).toBeLessThanOrEqual(maxHeldPackets);
      }
    }),
  );
});
