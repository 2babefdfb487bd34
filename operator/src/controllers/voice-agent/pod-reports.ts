import type { Clock } from '@parley/connector/base/clock';
import { messageOf } from '@parley/connector/base/errors';
import type { Log } from '@parley/connector/base/log';
import type { PodStatus } from '@parley/connector/contract/pod';
import type { PodAddress, PodClient } from './pod-client.ts';

/** A pod to be asked. */
export interface AskedPod {
  readonly uid: string;
  readonly name: string;
  readonly isToDrain: boolean;
  readonly address: PodAddress;
}

/** What a pod said, and whether it drains because we asked it to. */
export interface PodReport {
  readonly status: PodStatus;
  readonly hasAcknowledgedDrain: boolean;
}

interface Entry {
  askedAt: number;
  heardAt: number;
  status: PodStatus | undefined;
  /** Epoch of the drain that the pod confirmed to us. */
  drainEpoch: number | undefined;
  fault: string | undefined;
}

/** Not asked again within this time, however often its agent is looked at. */
const minInterval = 1_000;
/** What a pod said is good for so long: one question without answer, 15 s after the last, is forgiven. */
const validity = 20_000;

/**
 * What pods say of themselves, asked when it is needed; tells them to drain or not as their
 * annotation has it. Nothing here is state that a restart could lose: pods are simply asked again.
 */
export class PodReports {
  readonly #client: PodClient;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();

  constructor({ client, clock, log }: { client: PodClient; clock: Clock; log: Log }) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
  }

  /** Asks all that were not asked just now, at once. Never rejects. */
  async refresh(pods: readonly AskedPod[]): Promise<void> {
    await Promise.all(pods.map((pod) => this.#ask(pod)));
  }

  /** Undefined when the pod did not say anything lately. */
  get(uid: string): PodReport | undefined {
    const entry = this.#entries.get(uid);
    if (!entry?.status || this.#clock.now() - entry.heardAt > validity) return undefined;
    const { status, drainEpoch } = entry;
    return {
      status,
      hasAcknowledgedDrain: status.isDraining && drainEpoch === status.epoch,
    };
  }

  /** Why it was not heard, if it was not. */
  faultOf(uid: string): string | undefined {
    return this.#entries.get(uid)?.fault;
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  async #ask(pod: AskedPod): Promise<void> {
    const known = this.#entries.get(pod.uid);
    const isInOrder = known?.status?.isDraining === pod.isToDrain;
    if (known && isInOrder && this.#clock.now() - known.askedAt < minInterval) return;
    const entry = known ?? {
      askedAt: 0,
      heardAt: 0,
      status: undefined,
      drainEpoch: undefined,
      fault: undefined,
    };
    this.#entries.set(pod.uid, entry);
    entry.askedAt = this.#clock.now();
    try {
      entry.status = await this.#askInOrder(pod, entry);
      entry.heardAt = this.#clock.now();
      entry.fault = undefined;
    } catch (error) {
      entry.fault = messageOf(error);
      this.#log.debug({ pod: pod.name, error: entry.fault }, 'a pod gave no report');
    }
  }

  async #askInOrder(pod: AskedPod, entry: Entry): Promise<PodStatus> {
    const { address, isToDrain } = pod;
    const status = await this.#client.status(address);
    if (isToDrain && !(status.isDraining && status.epoch === entry.drainEpoch)) {
      const answer = await this.#client.drain(address);
      entry.drainEpoch = answer.isDraining ? answer.epoch : undefined;
      return answer;
    }
    if (!isToDrain) entry.drainEpoch = undefined;
    return !isToDrain && status.isDraining ? this.#client.undrain(address) : status;
  }
}
