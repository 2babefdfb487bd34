import type { Clock } from '../../../connector/src/base/clock.ts';

/** Real time, but `factor` times as fast: for sockets, whose events no fake clock can order. */
export function fastClock(factor: number): Clock {
  return {
    now: () => performance.now() * factor,
    wall: () => Date.now(),
    after(delay, task) {
      const handle = setTimeout(task, delay / factor);
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
