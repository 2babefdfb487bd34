import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import { pod, report, start, world } from './world.case.ts';
import type { Action, PodState, PodView, World } from './world.ts';

/**
 * A cluster in miniature: a scheduler that knows only ports, kubelets that start pods, pods that
 * acknowledge drains and whose calls end. Decisions must lead anywhere from any state to what is wanted.
 */
class Cluster {
  world: World;
  /** What is really going on; reports tell of it. */
  readonly calls = new Map<string, number>();
  readonly #silent: ReadonlySet<string>;
  #made = 0;

  constructor(given: World, silent: ReadonlySet<string>) {
    this.world = given;
    this.#silent = silent;
    for (const { uid, report: said } of given.pods) this.calls.set(uid, said?.activeCalls ?? 1);
  }

  /** Pods of the wanted revision that take calls or are about to. */
  get serving(): number {
    return this.world.pods.filter(
      ({ state, revision, drainBegan }) =>
        ['waiting', 'starting', 'ready'].includes(state) &&
        revision === this.world.revision &&
        drainBegan === undefined,
    ).length;
  }

  /** One look and what follows from it; returns what was done. */
  step(): readonly Action[] {
    const { actions } = decide(this.world);
    for (const action of actions) this.#apply(action);
    return actions;
  }

  /** The cluster's part: schedule, start, report, end calls. */
  turn(): void {
    const { pods } = this.world;
    this.#set(pods.filter(({ state }) => state !== 'terminating').map((one) => this.#live(one)));
    this.world = { ...this.world, now: this.world.now + 15_000 };
  }

  #live(one: PodView): PodView {
    if (one.state === 'waiting' || one.state === 'unplaceable') return this.#place(one);
    if (one.state === 'starting') return this.#heard({ ...one, state: 'ready', isRunning: true });
    return one.state === 'ready' ? this.#heard(one) : one;
  }

  #place(one: PodView): PodView {
    const free = [...this.world.nodes].find((node) =>
      this.world.pods.every(
        (other) => other.uid === one.uid || other.node !== node || other.slot !== one.slot,
      ),
    );
    // One at a time, as the scheduler does.
    if (free === undefined) return { ...one, state: 'unplaceable' };
    const placed: PodView = { ...one, node: free, state: 'starting', isRunning: true };
    this.#set(this.world.pods.map((other) => (other.uid === one.uid ? placed : other)));
    return placed;
  }

  #heard(one: PodView): PodView {
    if (this.#silent.has(one.uid)) return one;
    const before = this.calls.get(one.uid) ?? 0;
    const isDraining = one.drainBegan !== undefined;
    const now = isDraining ? Math.max(0, before - 1) : before;
    this.calls.set(one.uid, now);
    return { ...one, report: report(now, isDraining) };
  }

  #apply(action: Action): void {
    const { pods, now, revision } = this.world;
    if (action.type === 'create') {
      const { ordinal, slot } = action;
      this.#made += 1;
      const made = pod(ordinal, {
        uid: `made-${this.#made}`,
        slot,
        revision,
        node: undefined,
        state: 'waiting',
        isRunning: false,
        report: undefined,
      });
      if (pods.some(({ name }) => name === made.name)) throw new Error('a name was used twice');
      this.calls.set(made.uid, 0);
      this.#set([...pods, made]);
    } else if (action.type !== 'release') this.#change(action, now);
  }

  #change(action: Exclude<Action, { type: 'create' | 'release' }>, now: number): void {
    const { uid } = action.pod;
    const changes: Partial<PodView> = {
      drain: { drainBegan: now, report: undefined },
      undrain: { drainBegan: undefined },
      touch: { content: 'c1' },
      delete: { state: 'terminating' as const },
    }[action.type];
    this.#set(this.world.pods.map((one) => (one.uid === uid ? { ...one, ...changes } : one)));
  }

  #set(pods: readonly PodView[]): void {
    this.world = { ...this.world, pods };
  }
}

const states: PodState[] = [
  'waiting',
  'starting',
  'ready',
  'ready',
  'ready',
  'port-taken',
  'ended',
  'gone',
  'terminating',
];

const anyPod = fc.record({
  state: fc.constantFrom(...states),
  node: fc.constantFrom('n1', 'n2', 'n3'),
  slot: fc.integer({ min: 0, max: 4 }),
  revision: fc.constantFrom('new', 'new', 'old'),
  content: fc.constantFrom('c0', 'c1'),
  calls: fc.integer({ min: 0, max: 4 }),
  restarts: fc.constantFrom(0, 0, 5),
  drained: fc.constantFrom(undefined, undefined, 1_000, 4_000_000),
  isKnown: fc.boolean(),
});

const anyWorld = fc
  .record({
    pods: fc.array(anyPod, { maxLength: 8 }),
    replicas: fc.integer({ min: 0, max: 6 }),
    nodes: fc.subarray(['n1', 'n2', 'n3'], { minLength: 1 }),
    isDeleting: fc.constantFrom(false, false, false, true),
  })
  .map(({ pods, replicas, nodes, isDeleting }) => {
    const taken = new Set<string>();
    const views = pods.flatMap((one, index) => {
      const place = `${one.node}/${one.slot}`;
      if (taken.has(place)) return [];
      taken.add(place);
      const isRunning =
        one.state === 'ready' ||
        one.state === 'terminating' ||
        (one.state === 'starting' && one.restarts === 0);
      return [
        pod(index, {
          ...one,
          isRunning,
          node: one.state === 'waiting' ? undefined : one.node,
          endedAt: one.state === 'ended' ? start - 30_000 : undefined,
          drainBegan: one.drained === undefined ? undefined : start - one.drained,
          report: isRunning && one.isKnown ? report(one.calls) : undefined,
        }),
      ];
    });
    return world(views, {
      replicas,
      nodes: new Set(nodes),
      deletedAt: isDeleting ? start : undefined,
    });
  });

test('from any state the wanted one is reached, and then nothing is done', () => {
  fc.assert(
    fc.property(anyWorld, (any) => {
      const given = { ...any, deletedAt: undefined };
      const cluster = new Cluster(given, new Set());
      for (let round = 0; round < 60; round++) {
        cluster.step();
        cluster.turn();
      }
      const left = cluster.world.pods.map(({ state, revision, content, drainBegan }) => ({
        state,
        revision,
        content,
        drainBegan,
      }));
      const good = { state: 'ready', revision: 'new', content: 'c1', drainBegan: undefined };
      expect(left).toEqual(Array.from({ length: given.replicas }, () => good));
      expect(cluster.step()).toEqual([]);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('a deleted agent ends from any state', () => {
  fc.assert(
    fc.property(anyWorld, (any) => {
      const cluster = new Cluster({ ...any, deletedAt: start }, new Set());
      for (let round = 0; round < 10; round++) {
        cluster.step();
        cluster.turn();
      }
      expect(cluster.world.pods).toEqual([]);
      expect(cluster.step()).toEqual([{ type: 'release' }]);
    }),
    { seed: 5, numRuns: 250 },
  );
});

test('no pod is deleted that has calls and time to end them, or says nothing of them', () => {
  fc.assert(
    fc.property(anyWorld, fc.boolean(), (given, areSilent) => {
      const silent = new Set(areSilent ? given.pods.map(({ uid }) => uid) : []);
      const cluster = new Cluster(given, silent);
      for (let round = 0; round < 20; round++) {
        const { now, drainTimeout, deletedAt } = cluster.world;
        for (const action of cluster.step()) {
          if (action.type !== 'delete' || action.reason === 'NodeGone') continue;
          const { isRunning, drainBegan, uid, report: said } = action.pod;
          const since = Math.min(drainBegan ?? Infinity, deletedAt ?? Infinity);
          if (!isRunning || now >= since + drainTimeout) continue;
          expect(said).toMatchObject({ activeCalls: 0, hasAcknowledgedDrain: true });
          expect(cluster.calls.get(uid)).toBe(0);
        }
        cluster.turn();
      }
    }),
    { seed: 2, numRuns: 250 },
  );
});

test('no two pods are on one slot of a node, and looking often makes no more pods', () => {
  fc.assert(
    fc.property(anyWorld, (given) => {
      const cluster = new Cluster(given, new Set());
      for (let round = 0; round < 20; round++) {
        const before = cluster.serving;
        // Seen again and again before the cluster has done anything.
        for (let look = 0; look < 5; look++) cluster.step();
        expect(cluster.serving).toBeLessThanOrEqual(Math.max(before, given.replicas));
        cluster.turn();
        const places = cluster.world.pods.flatMap(({ node, slot, state }) =>
          node === undefined || state === 'ended' ? [] : [`${node}/${slot}`],
        );
        expect(new Set(places).size).toBe(places.length);
      }
    }),
    { seed: 3, numRuns: 250 },
  );
});

test('while a roll-out goes well as many pods are ready as before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(3)), (replicas, calls) => {
      const pods = Array.from({ length: replicas }, (_, n) =>
        pod(n, { revision: 'old', report: report(calls[n] ?? 0), node: `n${(n % 3) + 1}` }),
      );
      const cluster = new Cluster(world(pods), new Set());
      for (let round = 0; round < 80; round++) {
        cluster.step();
        const serving = cluster.world.pods.filter(
          ({ state, drainBegan }) => state === 'ready' && drainBegan === undefined,
        );
        expect(serving.length).toBeGreaterThanOrEqual(replicas);
        cluster.turn();
      }
      expect(cluster.world.pods.every(({ revision }) => revision === 'new')).toBe(true);
    }),
    { seed: 4, numRuns: 50 },
  );
});
