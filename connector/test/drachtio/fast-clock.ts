import { type Clock, systemClock } from '../../src/base/clock.ts';

/** Real time, so many times faster: a transaction's 32 s pass in a fraction of a second. */
export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now() * factor,
    wall: () => systemClock.wall(),
    after: (delay, task) => systemClock.after(delay / factor, task),
  };
}
