import { expect, test } from 'vitest';
import { chooseSlot, portsOf, slotCount } from './slot.ts';

test.each([
  { slot: 0, want: { sip: 20_000, http: 20_001, firstRtp: 20_016, lastRtp: 20_255 } },
  { slot: 1, want: { sip: 20_256, http: 20_257, firstRtp: 20_272, lastRtp: 20_511 } },
  { slot: 38, want: { sip: 29_728, http: 29_729, firstRtp: 29_744, lastRtp: 29_983 } },
])('slot $slot has its ports', ({ slot, want }) => {
  expect(portsOf(slot)).toEqual(want);
});

test('RTP begins on an even port and ends on an odd one, below the NodePorts', () => {
  for (let slot = 0; slot < slotCount; slot++) {
    const { firstRtp, lastRtp } = portsOf(slot);
    expect([firstRtp % 2, lastRtp % 2, lastRtp < 30_000]).toEqual([0, 1, true]);
  }
});

const two = new Set(['n1', 'n2']);

test.each([
  { name: 'nothing is used', uses: [], want: { slot: 0, isFree: true } },
  {
    name: 'one node has it free',
    uses: [{ slot: 0, node: 'n1' }],
    want: { slot: 0, isFree: true },
  },
  {
    name: 'another pod waits for that node',
    uses: [
      { slot: 0, node: 'n1' },
      { slot: 0, node: undefined },
    ],
    want: { slot: 1, isFree: true },
  },
  {
    name: 'no node has it free',
    uses: [
      { slot: 0, node: 'n1' },
      { slot: 0, node: 'n2' },
    ],
    want: { slot: 1, isFree: true },
  },
  {
    name: 'it is used where the pod cannot go',
    uses: [
      { slot: 0, node: 'n8' },
      { slot: 0, node: 'n9' },
    ],
    want: { slot: 0, isFree: true },
  },
  {
    name: 'the scheduler found it taken',
    uses: [{ slot: 0, node: undefined, isStuck: true }],
    want: { slot: 1, isFree: true },
  },
])('the lowest slot with room is taken when $name', ({ uses, want }) => {
  expect(chooseSlot(uses, two)).toEqual(want);
});

test('without room the slot that fewest pods wait for is taken', () => {
  const uses = [0, 0, 1].map((slot) => ({ slot, node: undefined }));
  expect(chooseSlot(uses, new Set())).toEqual({ slot: 2, isFree: false });
});
