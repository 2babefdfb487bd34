/**
 * Which events are written, so that a fault that repeats does not flood etcd: the same event again counts up
 * the one that is there, many different ones of one reason become one, and each object has a budget.
 * The numbers are client-go's (events_cache.go).
 */
import type { Clock } from '@parley/connector/base/clock';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface EventFacts {
  /** Of the object that it is about. */
  readonly uid: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** One Event object, as it should be by now. */
export interface EventSeries {
  readonly facts: EventFacts;
  /** Name of the Event, once it exists. */
  name: string | undefined;
  count: number;
  readonly firstAt: number;
  lastAt: number;
}

interface Group {
  readonly since: number;
  readonly messages: Set<string>;
}

const groupInterval = 600_000;
const groupLimit = 10;
const budget = 25;
const budgetPerSecond = 1 / 300;
const maxRemembered = 4096;

/** Remembers what was said lately; bounded. */
export class EventAggregator {
  readonly #clock: Clock;
  readonly #series = new Map<string, EventSeries>();
  readonly #groups = new Map<string, Group>();
  readonly #budgets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The series that the event belongs to, counted up; undefined when the object's budget is spent. */
  add(given: EventFacts): EventSeries | undefined {
    if (!this.#budgetOf(given.uid).tryTake()) return undefined;
    const facts = this.#grouped(given);
    const key = [facts.uid, facts.type, facts.reason, facts.message].join('\0');
    const wall = this.#clock.wall();
    const known = this.#series.get(key);
    if (known) {
      known.count += 1;
      known.lastAt = wall;
      return known;
    }
    const series = { facts, name: undefined, count: 1, firstAt: wall, lastAt: wall };
    remember(this.#series, key, series);
    return series;
  }

  #grouped(facts: EventFacts): EventFacts {
    const key = [facts.uid, facts.type, facts.reason].join('\0');
    const now = this.#clock.now();
    let group = this.#groups.get(key);
    if (!group || now - group.since > groupInterval) {
      group = { since: now, messages: new Set() };
      remember(this.#groups, key, group);
    }
    if (group.messages.has(facts.message)) return facts;
    if (group.messages.size < groupLimit) {
      group.messages.add(facts.message);
      return facts;
    }
    return {
      ...facts,
      message: `${facts.reason}, for several reasons (combined from similar events)`,
    };
  }

  #budgetOf(uid: string): TokenBucket {
    const known = this.#budgets.get(uid);
    if (known) return known;
    const made = createTokenBucket({
      clock: this.#clock,
      perSecond: budgetPerSecond,
      burst: budget,
    });
    remember(this.#budgets, uid, made);
    return made;
  }
}

/** The oldest makes room. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
