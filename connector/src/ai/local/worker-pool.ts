import type { Clock, Timer } from '../../base/clock.ts';
import { ConnectorError, messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** The part of a worker thread that a pool uses. */
export interface PoolWorker {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
}

/** What a worker posts: once `ready`, then an answer to each job, in order. */
export type WorkerMessage<Result> =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly result: Result }
  | { readonly type: 'failed'; readonly message: string };

export interface WorkerPoolOptions {
  readonly name: string;
  readonly start: () => PoolWorker;
  /** Threads at most; they are started as they are needed. */
  readonly size: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A job that takes longer has hung: its thread is ended. */
const jobTimeout = 15_000;
const startTimeout = 15_000;
/** Jobs waiting; more means that nobody would want their results any more. */
const maxWaiting = 1000;

interface Task<Job, Result> {
  readonly job: Job;
  resolve(result: Result): void;
  reject(error: ConnectorError): void;
}

interface Member<Job, Result> {
  readonly worker: PoolWorker;
  isReady: boolean;
  task: Task<Job, Result> | undefined;
  timer: Timer | undefined;
}

/**
 * Threads that do one job at a time. Who has many jobs waiting does not keep others waiting: owners
 * take turns. A thread that dies fails its job and is replaced.
 */
export class WorkerPool<Job, Result> {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Set<Member<Job, Result>>();
  /** Owner -> jobs; owners in the order of their turn. */
  readonly #waiting = new Map<object, Task<Job, Result>[]>();
  #waitingCount = 0;
  #warming: { promise: Promise<void>; resolve(): void; reject(error: Error): void } | undefined;
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when a thread can work; rejects with PROVIDER_UNAVAILABLE when it cannot be started. */
  warm(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    if ([...this.#members].some((member) => member.isReady)) return Promise.resolve();
    if (this.#warming) return this.#warming.promise;
    this.#warming = Promise.withResolvers<void>();
    if (this.#members.size === 0) this.#start();
    return this.#warming.promise;
  }

  /** Rejects with PROVIDER_UNAVAILABLE when the job fails, its thread dies or the pool is closed. */
  run(job: Job, owner: object): Promise<Result> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    if (this.#waitingCount >= maxWaiting)
      return Promise.reject(this.#error('too many jobs are waiting'));
    return new Promise((resolve, reject) => {
      const own = this.#waiting.get(owner) ?? [];
      this.#waiting.set(owner, [...own, { job, resolve, reject }]);
      this.#waitingCount++;
      this.#dispatch();
    });
  }

  /** Forgets what an owner still has waiting; those jobs reject. */
  drop(owner: object): void {
    const tasks = this.#waiting.get(owner) ?? [];
    this.#waiting.delete(owner);
    this.#waitingCount -= tasks.length;
    for (const task of tasks) task.reject(this.#error('no longer wanted'));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#warming?.reject(this.#closedError());
    for (const owner of this.#waiting.keys()) this.drop(owner);
    const members = [...this.#members];
    for (const member of members) this.#remove(member, this.#closedError());
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    for (const member of this.#members) {
      if (!member.isReady || member.task) continue;
      const task = this.#next();
      if (!task) return;
      this.#give(member, task);
    }
    const starting = [...this.#members].filter((member) => !member.isReady).length;
    if (this.#waitingCount > starting && this.#members.size < this.#options.size) this.#start();
  }

  /** The first job of the owner whose turn it is; the owner goes to the end of the row. */
  #next(): Task<Job, Result> | undefined {
    for (const [owner, [task, ...rest]] of this.#waiting) {
      this.#waiting.delete(owner);
      if (rest.length > 0) this.#waiting.set(owner, rest);
      this.#waitingCount--;
      return task;
    }
    return undefined;
  }

  #give(member: Member<Job, Result>, task: Task<Job, Result>): void {
    member.task = task;
    this.#limit(member, jobTimeout);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    member.worker.postMessage(task.job);
  }

  #start(): void {
    const worker = this.#options.start();
    const member: Member<Job, Result> = {
      worker,
      isReady: false,
      task: undefined,
      timer: undefined,
    };
    this.#members.add(member);
    this.#limit(member, startTimeout);
    worker.on('message', (message) => this.#answered(member, message));
    worker.on('error', (error) => this.#died(member, messageOf(error)));
    worker.on('exit', () => this.#died(member, 'it ended'));
  }

  #limit(member: Member<Job, Result>, within: number): void {
    member.timer?.cancel();
    member.timer = this.#options.clock.after(within, () => {
      this.#died(member, 'it did not answer in time');
      void member.worker.terminate();
    });
  }

  #answered(member: Member<Job, Result>, message: unknown): void {
    if (!this.#members.has(member)) return;
    // The worker's file is ours: it posts nothing else.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const answer = message as WorkerMessage<Result>;
    member.timer?.cancel();
    const { task } = member;
    member.task = undefined;
    if (answer.type === 'ready') {
      member.isReady = true;
      this.#warming?.resolve();
      this.#warming = undefined;
    } else if (answer.type === 'done') task?.resolve(answer.result);
    else task?.reject(this.#error(answer.message));
    this.#dispatch();
  }

  #died(member: Member<Job, Result>, reason: string): void {
    if (!this.#members.has(member)) return;
    const { name, log } = this.#options;
    log.warn({ worker: name, reason }, 'worker thread lost');
    this.#remove(member, this.#error(reason));
    if (member.isReady) {
      this.#start();
      return;
    }
    // It could not even start: those who wait are told, and the next job tries again.
    this.#warming?.reject(this.#error(reason));
    this.#warming = undefined;
    if (this.#members.size === 0) for (const owner of this.#waiting.keys()) this.drop(owner);
  }

  #remove(member: Member<Job, Result>, error: ConnectorError): void {
    this.#members.delete(member);
    member.timer?.cancel();
    member.task?.reject(error);
    member.task = undefined;
  }

  #error(reason: string): ConnectorError {
    return new ConnectorError('PROVIDER_UNAVAILABLE', `${this.#options.name}: ${reason}`);
  }

  #closedError(): ConnectorError {
    return this.#error('closed');
  }
}
