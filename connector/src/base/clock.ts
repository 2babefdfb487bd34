/** A running timer; `cancel` may be called more than once. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument, so that tests can move it. */
export interface Clock {
  /** Monotonic time in ms; only differences mean something. A step of the wall clock does not move it. */
  now(): number;
  /** Wall clock, ms since the epoch; for time stamps that people and peers read. */
  wall(): number;
  /** Runs `task` once after `delay` ms. */
  after(delay: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delay, task) {
    const handle = setTimeout(task, delay);
    return { cancel: () => clearTimeout(handle) };
  },
};
