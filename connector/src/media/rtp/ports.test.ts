import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { PortPool } from './ports.ts';

function pool(min: number, max: number, random = 0) {
  const clock = new FakeClock();
  return { clock, ports: new PortPool({ min, max }, { clock, random: () => random }) };
}

function takeAll(ports: PortPool): number[] {
  const taken: number[] = [];
  for (let port = ports.take(); port !== undefined; port = ports.take()) taken.push(port);
  return taken;
}

test.each([
  { min: 20_000, max: 20_005, want: [20_000, 20_002, 20_004] },
  { min: 20_001, max: 20_006, want: [20_002, 20_004] },
  { min: 20_000, max: 20_000, want: [] },
  { min: 20_000, max: 20_001, want: [20_000] },
])('$min to $max has the pairs $want', ({ min, max, want }) => {
  const { ports } = pool(min, max);
  expect(ports.size).toBe(want.length);
  expect(takeAll(ports)).toEqual(want);
});

test('a process starts anywhere in the range', () => {
  expect(takeAll(pool(20_000, 20_007, 0.5).ports)).toEqual([20_004, 20_006, 20_000, 20_002]);
});

test('a port rests before it is used again', () => {
  const { clock, ports } = pool(20_000, 20_001);
  expect(ports.take()).toBe(20_000);
  ports.release(20_000);
  clock.advance(29_999);
  expect([ports.take(), ports.available]).toEqual([undefined, 0]);
  clock.advance(1);
  expect([ports.available, ports.take()]).toEqual([1, 20_000]);
});

test('the port that rests longest comes first', () => {
  const { clock, ports } = pool(20_000, 20_005);
  takeAll(ports);
  for (const port of [20_004, 20_000, 20_002]) {
    ports.release(port);
    clock.advance(1000);
  }
  clock.advance(30_000);
  expect(takeAll(ports)).toEqual([20_004, 20_000, 20_002]);
});
