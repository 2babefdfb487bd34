import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Clock } from '../base/clock.ts';
import { Wheel } from './wheel.ts';

function fault(): never {
  throw new Error('a fault');
}

class Member {
  readonly ticks: number[] = [];
  skipped = 0;

  tick(now: number): void {
    this.ticks.push(now);
  }

  skip(frames: number): void {
    this.skipped += frames;
  }
}

function join(wheel: Wheel, period = 20) {
  const member = new Member();
  return { member, leave: wheel.add(member, period) };
}

test.each([20, 30, 40, 60])('a member of %i ms ticks as often', (period) => {
  const clock = new FakeClock();
  const { member, leave } = join(new Wheel(clock), period);
  clock.advance(12_000);
  expect(member.ticks.length).toBe(12_000 / period);
  expect(
    new Set(member.ticks.slice(1).map((at, index) => at - (member.ticks[index] ?? 0))),
  ).toEqual(new Set([period]));
  leave();
});

test('members are spread over the slots', () => {
  const clock = new FakeClock();
  const wheel = new Wheel(clock);
  const members = Array.from({ length: 8 }, () => join(wheel).member);
  clock.advance(100);
  const perTime = new Map<number, number>();
  for (const at of members.flatMap((member) => member.ticks))
    perTime.set(at, (perTime.get(at) ?? 0) + 1);
  expect(new Set(perTime.values())).toEqual(new Set([2]));
});

test('there is one timer, and none when nobody is left', () => {
  const clock = new FakeClock();
  const wheel = new Wheel(clock);
  expect(clock.pending).toBe(0);
  const members = [join(wheel), join(wheel), join(wheel, 30)];
  clock.advance(1000);
  expect(clock.pending).toBe(1);
  for (const { leave } of members) {
    leave();
    leave();
  }
  expect(clock.pending).toBe(0);
});

test('slots without members cost no wake-up', () => {
  const clock = new FakeClock();
  let wakeUps = 0;
  const wheel = new Wheel({
    now: () => clock.now(),
    wall: () => clock.wall(),
    after(delay, task) {
      wakeUps += 1;
      return clock.after(delay, task);
    },
  });
  join(wheel);
  clock.advance(1000);
  expect(wakeUps).toBeLessThanOrEqual(51);
});

test('a member may leave and another join while the wheel runs', () => {
  const clock = new FakeClock();
  const wheel = new Wheel(clock);
  const second = new Member();
  const leave = wheel.add(
    {
      tick() {
        leave();
        wheel.add(second, 20);
      },
      skip: () => undefined,
    },
    20,
  );
  clock.advance(1000);
  expect(clock.pending).toBe(1);
  expect(second.ticks.length).toBeGreaterThanOrEqual(48);
});

test('a member that throws does not stop the others', () => {
  const clock = new FakeClock();
  const wheel = new Wheel(clock);
  wheel.add({ tick: fault, skip: fault }, 20);
  const { member } = join(wheel);
  for (let ms = 0; ms < 200; ms++) {
    try {
      clock.advance(1);
    } catch {
      // The process would log it.
    }
  }
  expect(member.ticks.length).toBe(10);
});

/** A clock whose timers all fire late by what the test says. */
class LateClock implements Clock {
  readonly fake = new FakeClock();
  late = 0;

  now(): number {
    return this.fake.now();
  }

  wall(): number {
    return this.fake.wall();
  }

  after(delay: number, task: () => void) {
    return this.fake.after(delay + this.late, task);
  }
}

test('timers that fire late by a little add up to nothing', () => {
  const clock = new LateClock();
  clock.late = 1.3;
  const { member } = join(new Wheel(clock));
  clock.fake.advance(60_000);
  expect(member.ticks.length).toBeGreaterThanOrEqual(2999);
  expect(member.skipped).toBe(0);
});

test('timers that fire early by less than 1 ms do not cost another wake-up', () => {
  const clock = new LateClock();
  clock.late = -0.9;
  const { member } = join(new Wheel(clock));
  clock.fake.advance(60_000);
  expect(member.ticks.length).toBe(3000);
});

test('up to 100 ms late, what is due is sent at once', () => {
  const clock = new LateClock();
  const { member } = join(new Wheel(clock));
  clock.fake.advance(1000);
  clock.late = 90;
  clock.fake.advance(20);
  clock.late = 0;
  clock.fake.advance(480);
  expect([member.ticks.length, member.skipped]).toEqual([75, 0]);
});

test.each([300, 5000, 3_600_000])('of %i ms all but the last 100 are left out', (late) => {
  const clock = new LateClock();
  const wheel = new Wheel(clock);
  const { member } = join(wheel);
  clock.fake.advance(1000);
  clock.late = late;
  clock.fake.advance(20);
  clock.late = 0;
  clock.fake.advance(late + 980);
  expect(member.ticks.length + member.skipped).toBe((late + 2000) / 20);
  expect(member.skipped).toBeGreaterThanOrEqual((late - 100) / 20 - 1);
  expect(member.skipped).toBeLessThanOrEqual((late - 100) / 20 + 1);
  expect(wheel.skipped).toBeGreaterThanOrEqual(late - 100);
  // Never more than the frames of 100 ms at one moment.
  const burst = Math.max(
    ...member.ticks.map((at) => member.ticks.filter((other) => other === at).length),
  );
  expect(burst).toBeLessThanOrEqual(5);
});
