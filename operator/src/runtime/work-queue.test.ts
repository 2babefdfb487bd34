import { array, assert, asyncProperty, constantFrom, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

function setup(options: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  return { clock, queue: new WorkQueue({ clock, ...options }) };
}

/** Everything that can be taken now. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push((await queue.take())!);
  return keys;
}

test('a key is in the queue once, in the order of its first adding', async () => {
  const { queue } = setup();
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect(await drain(queue)).toEqual(['a', 'b', 'c']);
});

test('a key that is worked on is not taken again before it is done, and then once', async () => {
  const { queue } = setup();
  queue.add('a');
  await queue.take();
  queue.add('a');
  queue.add('a');
  expect(queue.depth).toBe(0);
  queue.done('a');
  expect(await drain(queue)).toEqual(['a']);
  queue.done('a');
  expect(queue.depth).toBe(0);
});

test('what was there at the start goes after what changes', async () => {
  const { queue } = setup();
  queue.add('old', 'low');
  queue.add('both', 'low');
  queue.add('new');
  queue.add('both');
  expect(await drain(queue)).toEqual(['new', 'both', 'old']);
});

test('a worker waits for a key and is released by close', async () => {
  const { queue } = setup();
  const [first, second] = [queue.take(), queue.take()];
  queue.add('a');
  expect(await first).toBe('a');
  queue.close();
  expect(await second).toBeUndefined();
  expect(await queue.take()).toBeUndefined();
});

test('retries come later each time, up to 30 s, until the key is forgotten', () => {
  const { clock, queue } = setup({ retryBurst: 1000 });
  const delays: number[] = [];
  for (let turn = 0; turn < 15; turn++) {
    const before = clock.now();
    queue.retry('a');
    while (queue.depth === 0) clock.advance(5);
    delays.push(clock.now() - before);
    void queue.take();
    queue.done('a');
  }
  expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(delays.slice(-2)).toEqual([30_000, 30_000]);
  queue.forget('a');
  queue.retry('a');
  clock.advance(5);
  expect(queue.depth).toBe(1);
});

test('a lost race is tried again at once, then soon, never later than a second', () => {
  const { clock, queue } = setup();
  queue.add('a');
  void queue.take();
  queue.retryConflict('a');
  queue.done('a');
  expect(queue.depth).toBe(1);
  for (let turn = 0; turn < 30; turn++) {
    void queue.take();
    queue.retryConflict('a');
    queue.done('a');
    clock.advance(1000);
    expect(queue.depth).toBe(1);
  }
});

test('all retries together keep to the bucket', () => {
  const { clock, queue } = setup({ retryBurst: 2, retriesPerSecond: 10 });
  for (const key of ['a', 'b', 'c', 'd']) queue.retry(key);
  clock.advance(99);
  expect(queue.depth).toBe(2);
  clock.advance(1);
  expect(queue.depth).toBe(3);
  clock.advance(100);
  expect(queue.depth).toBe(4);
});

test('of several delays the earliest counts, and what is added does not wait', () => {
  const { clock, queue } = setup();
  queue.addAfter('a', 1000);
  queue.addAfter('a', 100);
  queue.addAfter('a', 500);
  clock.advance(100);
  expect([queue.depth, clock.pending]).toEqual([1, 0]);
  queue.addAfter('b', 1000);
  queue.add('b');
  expect([queue.depth, clock.pending]).toEqual([2, 0]);
});

test('close releases every timer and takes nothing in', () => {
  const { clock, queue } = setup();
  queue.addAfter('a', 10);
  queue.retry('b');
  queue.add('c');
  queue.close();
  queue.add('d');
  queue.addAfter('e', 10);
  queue.retry('f');
  expect([queue.depth, clock.pending]).toEqual([0, 0]);
});

test('what happened is told with its times', async () => {
  const events: object[] = [];
  const { clock, queue } = setup({ onEvent: (event) => events.push(event) });
  queue.add('a');
  clock.advance(30);
  await queue.take();
  clock.advance(70);
  expect([queue.active, queue.longestActive, queue.unfinished]).toEqual([1, 70, 70]);
  queue.done('a');
  expect(events).toEqual([
    { type: 'added' },
    { type: 'taken', waited: 30 },
    { type: 'done', worked: 70 },
  ]);
});

type Action = 'add' | 'low' | 'retry' | 'conflict' | 'later' | 'take' | 'done' | 'pass';

/** A queue whose promises are checked while it is used. */
class CheckedQueue {
  readonly #clock = new FakeClock();
  readonly #queue = new WorkQueue({ clock: this.#clock });
  readonly #active = new Set<string>();
  readonly #wanted = new Set<string>();

  readonly #actions: Record<Action, (key: string) => unknown> = {
    add: (key) => this.#want(key, () => this.#queue.add(key)),
    low: (key) => this.#want(key, () => this.#queue.add(key, 'low')),
    retry: (key) => this.#want(key, () => this.#queue.retry(key)),
    conflict: (key) => this.#want(key, () => this.#queue.retryConflict(key)),
    later: (key) => this.#want(key, () => this.#queue.addAfter(key, 20)),
    take: () => (this.#queue.depth > 0 ? this.#take() : undefined),
    done: (key) => this.#done(key),
    pass: () => this.#clock.advance(50),
  };

  async run(action: Action, key: string): Promise<void> {
    await this.#actions[action](key);
  }

  /** What was wanted and never came. */
  async lost(): Promise<string[]> {
    for (const key of this.#active) this.#done(key);
    this.#clock.advance(60_000);
    while (this.#queue.depth > 0) await this.#take();
    return [...this.#wanted];
  }

  #want(key: string, add: () => void): void {
    this.#wanted.add(key);
    add();
  }

  async #take(): Promise<void> {
    const key = (await this.#queue.take())!;
    if (this.#active.has(key)) throw new Error(`${key} has two workers`);
    this.#active.add(key);
    this.#wanted.delete(key);
  }

  #done(key: string): void {
    this.#active.delete(key);
    this.#queue.done(key);
  }
}

test('no key is lost and none is worked on twice at once, whatever the order', async () => {
  const action = constantFrom<Action>(
    ...(['add', 'low', 'retry', 'conflict', 'later', 'take', 'done', 'pass'] as const),
  );
  const actions = array(tuple(action, constantFrom('a', 'b', 'c')), { maxLength: 60 });
  await assert(
    asyncProperty(actions, async (given) => {
      const queue = new CheckedQueue();
      for (const [kind, key] of given) await queue.run(kind, key);
      expect(await queue.lost()).toEqual([]);
    }),
  );
});
