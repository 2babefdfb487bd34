import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ReconcileResult } from './reconcile.ts';
import type { QueueEvent, WorkQueue } from './work-queue.ts';

/** The metrics of controllers and their queues, under the names of controller-runtime, so that its dashboards fit. */
export interface ControllerMetrics {
  reconciled(controller: string, result: ReconcileResult, duration: number): void;
  queued(controller: string, event: QueueEvent): void;
  /** Depth and age are read from the queue at each scrape. */
  follow(
    controller: string,
    queue: Pick<WorkQueue, 'depth' | 'active' | 'unfinished' | 'longestActive'>,
  ): void;
}

const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const reconciles = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by controller and result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed, terminal ones included.',
    labelNames: ['controller'],
    registers,
  });
  const terminal = new Counter({
    name: 'controller_runtime_terminal_reconcile_errors_total',
    help: 'Reconciles that failed and are not tried again.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of a reconcile.',
    labelNames: ['controller'],
    buckets: secondsBuckets,
    registers,
  });
  const queue = createQueueMetrics(registry);
  return {
    reconciled(controller, result, duration) {
      reconciles.inc({ controller, result });
      if (result === 'error' || result === 'terminal') errors.inc({ controller });
      if (result === 'terminal') terminal.inc({ controller });
      time.observe({ controller }, duration / 1000);
    },
    ...queue,
  };
}

function createQueueMetrics(registry: Registry): Pick<ControllerMetrics, 'queued' | 'follow'> {
  const registers = [registry];
  const labelNames = ['name'] as const;
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers });
  const added = counter('workqueue_adds_total', 'Keys added.');
  const retried = counter('workqueue_retries_total', 'Keys added again after a failure.');
  const waited = histogram('workqueue_queue_duration_seconds', 'From added to taken.');
  const worked = histogram('workqueue_work_duration_seconds', 'From taken to done.');
  const followed = new Map<string, Parameters<ControllerMetrics['follow']>[1]>();
  const gauge = (
    name: string,
    help: string,
    valueOf: (queue: Parameters<ControllerMetrics['follow']>[1]) => number,
  ): void => {
    const made: Gauge<'name'> = new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect: () => {
        for (const [controller, queue] of followed) made.set({ name: controller }, valueOf(queue));
      },
    });
  };
  gauge('workqueue_depth', 'Keys that wait.', ({ depth }) => depth);
  gauge('controller_runtime_active_workers', 'Keys worked on.', ({ active }) => active);
  gauge(
    'workqueue_unfinished_work_seconds',
    'Sum of the time so far of the keys worked on.',
    ({ unfinished }) => unfinished / 1000,
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'Time so far of the key worked on longest.',
    ({ longestActive }) => longestActive / 1000,
  );
  return {
    queued(name, event) {
      if (event.type === 'added') added.inc({ name });
      else if (event.type === 'retried') retried.inc({ name });
      else if (event.type === 'taken') waited.observe({ name }, event.waited / 1000);
      else if (event.type === 'done') worked.observe({ name }, event.worked / 1000);
    },
    follow(controller, followedQueue) {
      followed.set(controller, followedQueue);
    },
  };
}
