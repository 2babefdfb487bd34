import { silentLog } from '@parley/connector/base/log';
import { array, assert, asyncProperty, constantFrom, integer, nat, record } from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import type { KubeClient } from './client.ts';
import type { Lease } from './kinds.ts';
import { errorOfStatus, localError } from './kube-error.ts';
import { createLeaderElection, type LeaderElection } from './leader-election.ts';

/** One Lease with optimistic locking; each request takes effect and is answered after a delay, or fails. */
class LeaseServer {
  lease: Lease | undefined;
  /** Processes, by their clocks, whose requests are lost. */
  readonly cutOff = new Set<FakeClock>();
  requests = 0;
  #version = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** `clock` is the one of the process that asks: a paused one hears nothing. */
  client(clock: FakeClock, delay = 0): Pick<KubeClient, 'find' | 'create' | 'replace'> {
    const ask = (work: () => Lease | undefined) => this.#answer({ clock, delay }, work);
    const client = {
      find: () => ask(() => this.lease),
      create: (_: unknown, object: Lease) => ask(() => this.#put(object, true)),
      replace: (_: unknown, object: Lease) => ask(() => this.#put(object, false)),
    };
    return client as unknown as Pick<KubeClient, 'find' | 'create' | 'replace'>;
  }

  #put(object: Lease, isNew: boolean): Lease {
    const current = this.lease?.metadata?.resourceVersion;
    if (isNew && this.lease) throw errorOfStatus(409, { reason: 'AlreadyExists' });
    if (!isNew && !this.lease) throw errorOfStatus(404, { reason: 'NotFound' });
    if (!isNew && object.metadata?.resourceVersion !== current)
      throw errorOfStatus(409, { reason: 'Conflict' });
    this.#version += 1;
    this.lease = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    };
    return this.lease;
  }

  #answer<T>({ clock, delay }: { clock: FakeClock; delay: number }, work: () => T): Promise<T> {
    this.requests += 1;
    return new Promise((resolve, reject) => {
      const arrive = (): void => {
        try {
          if (this.cutOff.has(clock)) throw localError('ConnectionFailed', 'down');
          const answer = work();
          clock.after(delay / 2, () => resolve(answer));
        } catch (error) {
          clock.after(delay / 2, () => reject(error));
        }
      };
      this.#clock.after(delay / 2, arrive);
    });
  }
}

/** A clock as a process sees it that can be stopped (SIGSTOP): time goes on, its timers come late. */
class PausableClock extends FakeClock {
  readonly #real: FakeClock;
  readonly #held: (() => void)[] = [];
  isPaused = false;

  constructor(real: FakeClock) {
    super();
    this.#real = real;
  }

  override now(): number {
    return this.#real.now();
  }

  override wall(): number {
    return this.#real.wall();
  }

  override after(delay: number, task: () => void): { cancel(): void } {
    let isCancelled = false;
    const run = (): void => {
      if (isCancelled) return;
      if (this.isPaused) this.#held.push(run);
      else task();
    };
    const timer = this.#real.after(delay, run);
    return {
      cancel() {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  resume(): void {
    this.isPaused = false;
    for (const run of this.#held.splice(0)) run();
  }
}

interface Candidate {
  readonly election: LeaderElection;
  readonly clock: PausableClock;
  readonly told: string[];
}

function candidate(
  server: LeaseServer,
  given: { clock: FakeClock; identity: string; delay?: number },
): Candidate {
  const clock = new PausableClock(given.clock);
  const told: string[] = [];
  const election = createLeaderElection({
    client: server.client(clock, given.delay),
    namespace: 'parley',
    name: 'operator',
    identity: given.identity,
    clock,
    random: () => 0.5,
    log: silentLog,
    onElected: () => told.push('elected'),
    onLost: () => told.push('lost'),
  });
  return { election, clock, told };
}

function pair(delay = 0) {
  const clock = new FakeClock();
  const server = new LeaseServer(clock);
  const a = candidate(server, { clock, identity: 'a', delay });
  const b = candidate(server, { clock, identity: 'b', delay });
  return { clock, server, a, b };
}

async function stopped(clock: FakeClock, ...candidates: readonly Candidate[]): Promise<void> {
  const all = Promise.all(candidates.map(({ election }) => election.stop()));
  await clock.advanceAsync(1);
  await all;
}

test('the first leads, the second follows without writing', async () => {
  const { clock, server, a, b } = pair();
  a.election.start();
  await clock.advanceAsync(1);
  b.election.start();
  await clock.advanceAsync(60_000);
  expect([a.told, b.told]).toEqual([['elected'], []]);
  expect([a.election.holds(), b.election.holds(), b.election.leader]).toEqual([true, false, 'a']);
  // 30 renewals of one write each, 19 looks of the other.
  expect(server.requests).toBeLessThan(60);
  await stopped(clock, a, b);
  expect(clock.pending).toBe(0);
});

test('a leader that goes on purpose is followed within a retry', async () => {
  const { clock, server, a, b } = pair();
  a.election.start();
  await clock.advanceAsync(1);
  b.election.start();
  await clock.advanceAsync(10_000);
  await stopped(clock, a, a);
  expect([a.election.holds(), server.lease?.spec?.holderIdentity]).toEqual([false, '']);
  await clock.advanceAsync(4400);
  expect(b.told).toEqual(['elected']);
  expect(server.lease?.spec?.leaseTransitions).toBe(1);
  await stopped(clock, b);
});

test('a leader that died is followed when the lease is over', async () => {
  const { clock, a, b } = pair();
  a.election.start();
  await clock.advanceAsync(1);
  b.election.start();
  await clock.advanceAsync(10_000);
  a.clock.isPaused = true;
  await clock.advanceAsync(12_000);
  expect(b.told).toEqual([]);
  await clock.advanceAsync(8000);
  expect(b.told).toEqual(['elected']);
  await stopped(clock, b);
});

test('a leader that was stopped and wakes up does not hold the lease any more, before any timer runs', async () => {
  const { clock, a, b } = pair();
  a.election.start();
  await clock.advanceAsync(1);
  b.election.start();
  await clock.advanceAsync(5000);
  a.clock.isPaused = true;
  await clock.advanceAsync(60_000);
  expect([a.election.holds(), b.election.holds()]).toEqual([false, true]);
  a.clock.resume();
  expect(a.told).toEqual(['elected', 'lost']);
  await clock.advanceAsync(20_000);
  expect([a.election.holds(), b.election.holds(), b.told]).toEqual([false, true, ['elected']]);
  await stopped(clock, a, b);
});

test('a leader without an API server gives up at its deadline, and stop releases nothing', async () => {
  const { clock, server, a } = pair(20);
  a.election.start();
  await clock.advanceAsync(5000);
  server.cutOff.add(a.clock);
  await clock.advanceAsync(9900);
  expect(a.told).toEqual(['elected', 'lost']);
  const { requests } = server;
  await stopped(clock, a);
  expect([server.requests, clock.pending]).toEqual([requests, 0]);
});

test('stop during a renewal waits for it and releases with its version', async () => {
  const { clock, server, a } = pair(100);
  a.election.start();
  await clock.advanceAsync(250);
  expect(a.told).toEqual(['elected']);
  await clock.advanceAsync(1970);
  const released = a.election.stop();
  await clock.advanceAsync(500);
  await released;
  expect(server.lease?.spec?.holderIdentity).toBe('');
  expect(clock.pending).toBe(0);
});

test('stop does not wait for an API server that is silent', async () => {
  const { clock, a } = pair(60_000);
  a.election.start();
  await clock.advanceAsync(1000);
  const ended = a.election.stop();
  await clock.advanceAsync(5000);
  await expect(ended).resolves.toBeUndefined();
});

test('however processes pause and are cut off, two never hold the lease at once', async () => {
  const action = record({
    kind: constantFrom('pause', 'cut', 'wake', 'heal'),
    who: constantFrom(0, 1),
    time: integer({ min: 1, max: 20_000 }),
  });
  await assert(
    asyncProperty(array(action, { maxLength: 10 }), nat(3000), async (actions, delay) => {
      const { clock, server, a, b } = pair(delay);
      const both = [a, b];
      for (const { election } of both) election.start();
      const pass = async (time: number): Promise<void> => {
        for (let passed = 0; passed < time; passed += 500) {
          await clock.advanceAsync(500);
          expect(a.election.holds() && b.election.holds()).toBe(false);
        }
      };
      await pass(10_000);
      for (const { kind, who, time } of actions) {
        const { clock: own } = both[who]!;
        if (kind === 'pause') own.isPaused = true;
        else if (kind === 'wake') own.resume();
        else if (kind === 'cut') server.cutOff.add(own);
        else server.cutOff.delete(own);
        await pass(time);
      }
    }),
    { numRuns: 300 },
  );
});
