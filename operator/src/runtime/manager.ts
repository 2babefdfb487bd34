import type { Clock, Timer } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { LeaderElection } from '../kube/leader-election.ts';

/** A cache, as the manager sees it. */
export interface ManagedCache {
  readonly kind: { readonly kind: string };
  readonly hasSynced: boolean;
  start(): void;
  whenSynced(): Promise<void>;
  stop(): Promise<void>;
}

/** A controller, or anything else that only the leader does. */
export interface LeaderTask {
  readonly name: string;
  start(): void;
  stop(): Promise<void>;
  /** For how long its longest running piece of work runs, ms. */
  readonly longestActive: number;
}

export interface ManagerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly caches: readonly ManagedCache[];
  readonly tasks: readonly LeaderTask[];
  /** Its callbacks must be the manager's `elected` and `lost`. Without it this process leads at once. */
  readonly election?: Pick<LeaderElection, 'start' | 'stop'>;
  /** The process must end: another leads, and what runs here may not write any more. */
  readonly onLost: () => void;
}

interface Health {
  readonly isGood: boolean;
  /** What is wrong; empty when good. */
  readonly reasons: readonly string[];
}

/** Starts caches, then the election, then what the leader does; stops in the reverse order. Standbys keep warm caches. */
export interface Manager {
  /** Resolves when the caches have synced and the election runs (or after `stop`). */
  start(): Promise<void>;
  elected(): void;
  lost(): void;
  /** Idempotent; running reconciles end first, then the lease is released. */
  stop(): Promise<void>;
  /** Of the process alone: event loop and queues turn. Neither Redis nor the API server count. */
  live(): Health;
  /** The caches have synced. */
  ready(): Health;
}

export function createManager(options: ManagerOptions): Manager {
  return new OrderedManager(options);
}

const beatEvery = 1000;
const beatLate = 15_000;
/** Five times the longest that a reconcile may run. */
const stuckAfter = 300_000;
const sayEvery = 15_000;

class OrderedManager implements Manager {
  readonly #options: ManagerOptions;
  readonly #stopping = Promise.withResolvers<void>();
  #phase: 'new' | 'syncing' | 'running' | 'stopping' = 'new';
  #leads = false;
  #beat: Timer | undefined;
  #lastBeat: number;
  #stopped: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#lastBeat = options.clock.now();
  }

  async start(): Promise<void> {
    if (this.#phase !== 'new') return;
    this.#phase = 'syncing';
    const { caches, election, log } = this.#options;
    this.#beatOn();
    for (const cache of caches) cache.start();
    const saying = this.#sayWhatIsMissing();
    await Promise.race([
      Promise.all(caches.map((cache) => cache.whenSynced())),
      this.#stopping.promise,
    ]);
    saying.cancel();
    if (this.#isStopping()) return;
    this.#phase = 'running';
    log.info({ caches: caches.length }, 'the caches have synced');
    if (election) election.start();
    else this.elected();
  }

  elected(): void {
    if (this.#phase !== 'running' || this.#leads) return;
    this.#leads = true;
    this.#options.log.info({}, 'this process leads');
    for (const task of this.#options.tasks) task.start();
  }

  lost(): void {
    if (!this.#leads || this.#isStopping()) return;
    this.#options.log.error({}, 'this process does not lead any more');
    // Their signals abort now; their end is not waited for, the process is about to go.
    for (const task of this.#options.tasks) void task.stop();
    this.#options.onLost();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  live(): Health {
    const { clock, tasks } = this.#options;
    const late = clock.now() - this.#lastBeat;
    const reasons = tasks
      .filter((task) => task.longestActive > stuckAfter)
      .map((task) => `${task.name} is stuck`);
    if (this.#beat && late > beatLate) reasons.push('the event loop stands still');
    return { isGood: reasons.length === 0, reasons };
  }

  ready(): Health {
    const reasons = this.#missing().map((kind) => `no whole list of ${kind} yet`);
    if (this.#phase === 'new') reasons.push('not started');
    if (this.#isStopping()) reasons.push('stopping');
    return { isGood: reasons.length === 0, reasons };
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#stopping.resolve();
    const { tasks, election, caches } = this.#options;
    await Promise.allSettled(tasks.map((task) => task.stop()));
    await election?.stop();
    await Promise.allSettled(caches.map((cache) => cache.stop()));
    this.#beat?.cancel();
    this.#beat = undefined;
  }

  #isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  #missing(): string[] {
    return this.#options.caches.filter((cache) => !cache.hasSynced).map(({ kind }) => kind.kind);
  }

  #beatOn(): void {
    this.#lastBeat = this.#options.clock.now();
    this.#beat = this.#options.clock.after(beatEvery, () => this.#beatOn());
  }

  #sayWhatIsMissing(): Timer {
    const { clock, log } = this.#options;
    let timer: Timer;
    const say = (): void => {
      log.warn({ kinds: this.#missing() }, 'still waiting for caches');
      timer = clock.after(sayEvery, say);
    };
    timer = clock.after(sayEvery, say);
    return { cancel: () => timer.cancel() };
  }
}
