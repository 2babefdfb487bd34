import type { Clock, Timer } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { KubeClient } from './client.ts';
import { type Lease, leases } from './kinds.ts';
import { failureFields, isAlreadyExists, isConflict } from './kube-error.ts';
import {
  holdsLease,
  type LeaseEffect,
  type LeaseEvent,
  type LeaseRecord,
  type LeaseTiming,
  newLease,
  releaseOf,
  stepLease,
} from './lease-state.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'find' | 'create' | 'replace'>;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process and this start of it, such as pod name and a random part. */
  readonly identity: string;
  readonly timing?: Partial<Omit<LeaseTiming, 'identity'>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onElected: () => void;
  /** Called once; this election never leads again. */
  readonly onLost: () => void;
}

export interface LeaderElection {
  start(): void;
  /** Whether we may write now; by the clock, so that it is right in a process that was paused. */
  holds(): boolean;
  /** Who leads, as last seen; undefined when unknown, empty when nobody does. */
  readonly leader: string | undefined;
  /** Releases the lease when it is ours. Idempotent; never rejects. */
  stop(): Promise<void>;
}

export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  return new LeaseElection(options);
}

const defaultTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };
const releaseLimit = 5000;

class LeaseElection implements LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;
  #state = newLease;
  #wait: Timer | undefined;
  #guard: Timer | undefined;
  #request: Promise<void> = Promise.resolve();
  #isStopped = false;
  #stopping: Promise<void> | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing, identity: options.identity };
  }

  get leader(): string | undefined {
    return this.#state.observed?.record.holderIdentity;
  }

  start(): void {
    this.#take({ type: 'due' });
  }

  holds(): boolean {
    return !this.#isStopped && holdsLease(this.#state, this.#timing, this.#options.clock.now());
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const held = this.holds();
    this.#isStopped = true;
    this.#wait?.cancel();
    this.#guard?.cancel();
    // An API server that does not answer must not keep the process; then the others wait for the lease's end.
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(releaseLimit, resolve);
    await Promise.race([this.#release(held), patience]);
    timer.cancel();
  }

  /** Never rejects. */
  async #release(held: boolean): Promise<void> {
    // A renewal under way knows the version that the release needs.
    await this.#request;
    const { observed } = this.#state;
    if (!held || !observed) return;
    const record = releaseOf(observed, this.#options.clock.wall());
    try {
      await this.#send(record, observed.version);
    } catch (error) {
      this.#options.log.warn(failureFields(error), 'the lease was not released');
    }
  }

  #take(event: LeaseEvent): void {
    const { clock, random } = this.#options;
    const moment = { now: clock.now(), wall: clock.wall(), random: random() };
    const [state, effects] = stepLease(this.#state, event, { timing: this.#timing, moment });
    this.#state = state;
    if (this.#isStopped) return;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: LeaseEffect): void {
    const { clock, onElected, onLost } = this.#options;
    switch (effect.type) {
      case 'read':
        this.#request = this.#ask(() => this.#read());
        return;
      case 'write':
        this.#request = this.#ask(() => this.#write(effect));
        return;
      case 'wait':
        this.#wait?.cancel();
        this.#wait = clock.after(effect.delay, () => this.#take({ type: 'due' }));
        return;
      case 'guard':
        this.#guard?.cancel();
        this.#guard = clock.after(Math.max(0, effect.at - clock.now()), () =>
          this.#take({ type: 'deadline' }),
        );
        return;
      case 'elected':
        onElected();
        return;
      case 'lost':
        this.#wait?.cancel();
        this.#guard?.cancel();
        onLost();
        return;
    }
  }

  /** Never rejects. */
  async #ask(request: () => Promise<LeaseEvent>): Promise<void> {
    let answer: LeaseEvent;
    try {
      answer = await request();
    } catch (error) {
      const isRefused = isConflict(error) || isAlreadyExists(error);
      if (!isRefused) this.#options.log.warn(failureFields(error), 'the lease could not be asked');
      answer = { type: isRefused ? 'refused' : 'failed' };
    }
    this.#take(answer);
  }

  async #read(): Promise<LeaseEvent> {
    const { client, namespace, name } = this.#options;
    const lease = await client.find(leases, { namespace, name });
    return {
      type: 'read',
      record: lease && recordOf(lease),
      version: lease?.metadata?.resourceVersion ?? '',
    };
  }

  async #write({ record, version }: LeaseEffect & { type: 'write' }): Promise<LeaseEvent> {
    const sentAt = this.#options.clock.now();
    const lease = await this.#send(record, version);
    return { type: 'written', record, version: lease.metadata?.resourceVersion ?? '', sentAt };
  }

  #send(record: LeaseRecord, version: string | undefined): Promise<Lease> {
    const { client, namespace, name } = this.#options;
    const write = { fieldManager: 'parley-leader-election' };
    const metadata = { namespace, name };
    return version === undefined
      ? client.create(leases, { metadata, spec: record }, write)
      : client.replace(
          leases,
          { metadata: { ...metadata, resourceVersion: version }, spec: record },
          write,
        );
  }
}

/** What others wrote may lack anything. */
function recordOf({ spec }: Lease): LeaseRecord {
  return {
    holderIdentity: spec?.holderIdentity ?? '',
    leaseDurationSeconds: spec?.leaseDurationSeconds ?? 0,
    acquireTime: spec?.acquireTime ?? '',
    renewTime: spec?.renewTime ?? '',
    leaseTransitions: spec?.leaseTransitions ?? 0,
  };
}
