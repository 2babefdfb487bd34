import type { Clock, Timer } from '../base/clock.ts';

/** Something with a frame to send every `period` ms. */
export interface Ticking {
  /** Called at each due time, or a little later; `now` is the time of the call. */
  tick(now: number): void;
  /** Instead of `tick`: this many frames are too late to be sent at all. */
  skip(frames: number): void;
}

const slotTime = 5;
// Holds a whole number of each period: 20, 30, 40 and 60 ms.
const slotCount = 24;
// Later than this, frames are left out rather than sent in a burst.
const maxLate = 100;
// Node rounds a delay down to whole ms, so that a timer may fire up to 1 ms early.
const earlyTolerance = 1;

/**
 * The one clock of all playout: a timer for the process, slots of 5 ms over which the calls are
 * spread, due times counted from the start so that lateness of one tick never moves the next.
 */
export class Wheel {
  readonly #clock: Clock;
  readonly #slots: Ticking[][] = Array.from({ length: slotCount }, () => []);
  #members = 0;
  #timer: Timer | undefined;
  #origin = 0;
  /** The next slot to run, counted from the origin. */
  #next = 0;
  #skippedSlots = 0;
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time for which no frames were sent since the start because the process was too late. */
  get skipped(): number {
    return this.#skippedSlots * slotTime;
  }

  /** Joins at the emptiest phase. Returns what takes it out again. */
  add(member: Ticking, period: number): () => void {
    const step = period / slotTime;
    const phase = this.#emptiestPhase(step);
    if (!this.#timer) this.#start();
    else this.#passEmptySlots();
    for (let slot = phase; slot < slotCount; slot += step) this.#slots[slot]?.push(member);
    this.#members += 1;
    if (!this.#isRunning) this.#arm();
    let isIn = true;
    return () => {
      if (isIn) this.#remove(member);
      isIn = false;
    };
  }

  #remove(member: Ticking): void {
    // New arrays: one of them may be the one that is being run.
    this.#slots.forEach((slot, index) => {
      if (slot.includes(member)) this.#slots[index] = slot.filter((other) => other !== member);
    });
    this.#members -= 1;
    if (this.#members > 0 || this.#isRunning) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #emptiestPhase(step: number): number {
    let best = 0;
    for (let phase = 1; phase < step; phase++)
      if (this.#load(phase, step) < this.#load(best, step)) best = phase;
    return best;
  }

  #load(phase: number, step: number): number {
    let load = 0;
    for (let slot = phase; slot < slotCount; slot += step) load += this.#slots[slot]?.length ?? 0;
    return load;
  }

  #start(): void {
    this.#origin = this.#clock.now();
    this.#next = 1;
  }

  /** Slots that were slept over are not due for a member that joins now. */
  #passEmptySlots(): void {
    const now = this.#clock.now();
    while (this.#isEmpty(this.#next) && this.#timeOf(this.#next) <= now) this.#next += 1;
  }

  #isEmpty(slot: number): boolean {
    return this.#slots[slot % slotCount]?.length === 0;
  }

  #timeOf(slot: number): number {
    return this.#origin + slot * slotTime;
  }

  /** Sleeps until the next slot that has members. */
  #arm(): void {
    let slot = this.#next;
    while (this.#isEmpty(slot)) slot += 1;
    const delay = this.#timeOf(slot) - this.#clock.now();
    this.#timer?.cancel();
    this.#timer = this.#clock.after(Math.max(0, delay), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#isRunning = true;
    try {
      this.#runDue(this.#clock.now());
    } finally {
      // A fault in one call must not silence the others.
      this.#isRunning = false;
      if (this.#members > 0) this.#arm();
      else this.#timer = undefined;
    }
  };

  #runDue(now: number): void {
    const due = Math.floor((now + earlyTolerance - this.#origin) / slotTime);
    const tooLate = due - this.#next + 1 - maxLate / slotTime;
    if (tooLate > 0) this.#leaveOut(tooLate);
    while (this.#next <= due) {
      const slot = this.#slots[this.#next % slotCount] ?? [];
      this.#next += 1;
      for (const member of slot) member.tick(now);
    }
  }

  #leaveOut(count: number): void {
    const frames = new Map<Ticking, number>();
    for (let index = 0; index < Math.min(count, slotCount); index++) {
      const rounds = Math.ceil((count - index) / slotCount);
      for (const member of this.#slots[(this.#next + index) % slotCount] ?? [])
        frames.set(member, (frames.get(member) ?? 0) + rounds);
    }
    this.#next += count;
    this.#skippedSlots += count;
    for (const [member, missed] of frames) member.skip(missed);
  }
}
