import { expect, test } from 'vitest';
import { TelephoneEventReceiver } from './telephone-event.ts';

interface Sent {
  readonly event?: number;
  readonly ssrc?: number;
  readonly timestamp: number;
  readonly units: number;
  readonly end?: boolean;
  readonly now?: number;
}

function heard(sent: readonly Sent[], expireAt?: number): [string, number][] {
  const digits: [string, number][] = [];
  const receiver = new TelephoneEventReceiver((digit, duration) => digits.push([digit, duration]));
  for (const { event = 5, ssrc = 1, timestamp, units, end = false, now = 0 } of sent) {
    const packet = Buffer.from([event, end ? 0x8a : 0x0a, units >> 8, units & 0xff]);
    receiver.receive(packet, { start: 0, timestamp, ssrc }, now);
  }
  if (expireAt !== undefined) receiver.expire(expireAt);
  return digits;
}

const begun = [160, 320, 480].map((units) => ({ timestamp: 1000, units }));
const ended = { timestamp: 1000, units: 800, end: true };

test.each<{ name: string; sent: readonly Sent[]; expireAt?: number; want: [string, number][] }>([
  { name: 'its end three times', sent: [...begun, ended, ended, ended], want: [['5', 100]] },
  { name: 'its beginning lost', sent: [ended, ended], want: [['5', 100]] },
  { name: 'an update after its end', sent: [ended, ...begun], want: [['5', 100]] },
  { name: 'updates out of order', sent: [...begun.toReversed(), ended], want: [['5', 100]] },
  { name: 'its end lost', sent: begun, expireAt: 200, want: [['5', 60]] },
  { name: 'no end yet', sent: begun, expireAt: 199, want: [] },
  {
    name: 'its end after the time-out',
    sent: [...begun, { timestamp: 1000, units: 500, now: 10 }],
    expireAt: 500,
    want: [['5', 63]],
  },
  {
    name: 'its end lost and another key after it',
    sent: [...begun, { event: 11, timestamp: 5000, units: 400, end: true }],
    want: [
      ['5', 60],
      ['#', 50],
    ],
  },
  {
    name: 'a key of another source, whose time is an earlier one',
    sent: [...begun, ended, { ssrc: 2, timestamp: 400, units: 400, end: true }],
    want: [
      ['5', 100],
      ['5', 50],
    ],
  },
  {
    name: 'its end lost and another source after it',
    sent: [...begun, { ssrc: 2, event: 11, timestamp: 1000, units: 400, end: true }],
    want: [
      ['5', 60],
      ['#', 50],
    ],
  },
  {
    name: 'the same key again',
    sent: [...begun, ended, { ...ended, timestamp: 3000 }],
    want: [
      ['5', 100],
      ['5', 100],
    ],
  },
  {
    name: 'a late packet of the key before',
    sent: [...begun, ended, { ...ended, timestamp: 3000 }, ended],
    want: [
      ['5', 100],
      ['5', 100],
    ],
  },
  {
    name: 'timestamps that wrap',
    sent: [
      { timestamp: 0xffff_ff00, units: 160, end: true },
      { timestamp: 0x100, units: 240, end: true },
      { timestamp: 0xffff_ff00, units: 160, end: true },
    ],
    want: [
      ['5', 20],
      ['5', 30],
    ],
  },
  {
    name: 'a press of 10 s in two segments',
    sent: [
      { timestamp: 0, units: 40_000 },
      { timestamp: 0, units: 65_535 },
      { timestamp: 65_535, units: 800 },
      { timestamp: 65_535, units: 14_465, end: true },
      { timestamp: 65_535, units: 14_465, end: true },
    ],
    want: [['5', 10_000]],
  },
  { name: 'flash, which is no key', sent: [{ ...ended, event: 16 }], want: [] },
])('one press with $name', ({ sent, expireAt, want }) => {
  expect(heard(sent, expireAt)).toEqual(want);
});

test('all sixteen keys', () => {
  const sent = Array.from({ length: 16 }, (_, event) => ({
    event,
    timestamp: event * 1000,
    units: 400,
    end: true,
  }));
  expect(
    heard(sent)
      .map(([digit]) => digit)
      .join(''),
  ).toBe('0123456789*#ABCD');
});

test('a packet cut short is nothing', () => {
  const digits: string[] = [];
  const receiver = new TelephoneEventReceiver((digit) => digits.push(digit));
  receiver.receive(Buffer.from([5, 0x80, 0]), { start: 0, timestamp: 0, ssrc: 1 }, 0);
  expect(digits).toEqual([]);
});
