import type { Clock } from '@parley/connector/base/clock';
import type { Log } from '@parley/connector/base/log';
import type { KubeClient } from './client.ts';
import { EventAggregator, type EventSeries } from './event-series.ts';
import { type Event, events } from './kinds.ts';
import { failureFields, isNotFound } from './kube-error.ts';
import type { KubeObject } from './object.ts';

export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a closed set. */
  readonly reason: string;
  /** For people; nothing personal, no secrets. Cut at 1024 characters. */
  readonly message: string;
}

/** Writes what `kubectl describe` shows. */
export interface EventRecorder {
  /** Never throws and never waits; what cannot be written is logged and lost. The object has kind, name and uid. */
  record(about: KubeObject, event: RecordedEvent): void;
  /** Resolves when what was recorded is written, or lost after 5 s; nothing is recorded any more. Idempotent. */
  close(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** Who says it, such as `parley-operator`. */
  readonly component: string;
  /** This pod. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

/** More means that the API server does not keep up; what is new is more telling than a long tail. */
const maxPending = 100;
const maxMessage = 1024;
const closeLimit = 5000;

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #aggregator: EventAggregator;
  /** Series to write, and what they are about. */
  readonly #pending = new Map<EventSeries, KubeObject>();
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #made = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#aggregator = new EventAggregator(options.clock);
  }

  record(about: KubeObject, { type, reason, message }: RecordedEvent): void {
    const uid = about.metadata?.uid;
    if (this.#isClosed || uid === undefined) return;
    const series = this.#aggregator.add({
      uid,
      type,
      reason,
      message: message.slice(0, maxMessage),
    });
    if (!series) return;
    if (this.#pending.size >= maxPending && !this.#pending.has(series)) {
      this.#options.log.warn({ reason }, 'an event was lost, too many wait');
      return;
    }
    this.#pending.set(series, about);
    this.#writing ??= this.#writeAll();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(closeLimit, () => {
      this.#pending.clear();
      resolve();
    });
    await Promise.race([this.#writing, patience]);
    timer.cancel();
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    for (const [series, about] of this.#pending) {
      this.#pending.delete(series);
      try {
        await this.#write(series, about);
      } catch (error) {
        this.#options.log.warn(failureFields(error), 'an event was not written');
      }
    }
    this.#writing = undefined;
  }

  async #write(series: EventSeries, about: KubeObject): Promise<void> {
    if (series.name === undefined) return this.#create(series, about);
    try {
      await this.#options.client.patch(
        events,
        { namespace: namespaceOf(about), name: series.name },
        {
          fieldManager: this.#options.component,
          patch: {
            type: 'merge',
            body: { count: series.count, lastTimestamp: timeOf(series.lastAt) },
          },
        },
      );
    } catch (error) {
      // The server forgets events after an hour.
      if (!isNotFound(error)) throw error;
      await this.#create(series, about);
    }
  }

  async #create(series: EventSeries, about: KubeObject): Promise<void> {
    const event = this.#eventOf(series, about);
    await this.#options.client.create(events, event, { fieldManager: this.#options.component });
    series.name = event.metadata.name;
  }

  #eventOf({ facts, count, firstAt, lastAt }: EventSeries, about: KubeObject): NamedEvent {
    const { component, instance, clock } = this.#options;
    const { name = '', namespace, uid, resourceVersion } = about.metadata ?? {};
    this.#made += 1;
    const unique = `${clock.wall().toString(16)}.${this.#made.toString(16)}`;
    return {
      metadata: { name: `${name}.${unique}`, namespace: namespaceOf(about) },
      involvedObject: {
        ...(about.apiVersion ? { apiVersion: about.apiVersion } : {}),
        ...(about.kind ? { kind: about.kind } : {}),
        name,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
      },
      type: facts.type,
      reason: facts.reason,
      message: facts.message,
      count,
      firstTimestamp: timeOf(firstAt),
      lastTimestamp: timeOf(lastAt),
      source: { component, host: instance },
      reportingComponent: component,
      reportingInstance: instance,
    };
  }
}

type NamedEvent = Event & { readonly metadata: { readonly name: string } };

/** Events about what has no namespace are in `default`. */
function namespaceOf({ metadata }: KubeObject): string {
  return metadata?.namespace ?? 'default';
}

/** metav1.Time: no fraction of a second. */
function timeOf(wall: number): string {
  return new Date(wall).toISOString().replace(/\.\d+Z$/, 'Z');
}
