import { silentLog } from '@parley/connector/base/log';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import { errorOfStatus } from '../kube/kube-error.ts';
import { type ControllerOptions, createController } from './controller.ts';
import { createControllerMetrics } from './controller-metrics.ts';
import { type Reconcile, TerminalError } from './reconcile.ts';

function setup(
  reconcile: Reconcile,
  { clock = new FakeClock(), ...options }: Partial<ControllerOptions> & { clock?: FakeClock } = {},
) {
  const registry = new Registry();
  const controller = createController({
    name: 'test',
    reconcile,
    clock,
    log: silentLog,
    metrics: createControllerMetrics(registry),
    ...options,
  });
  return { clock, controller, registry };
}

/** A reconcile whose runs are answered from a list; the last answer stays. */
function answers(clock: FakeClock, ...given: readonly (object | Error)[]) {
  const runs: number[] = [];
  const reconcile: Reconcile = async () => {
    const answer = given[Math.min(runs.length, given.length - 1)]!;
    runs.push(clock.now());
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { runs, reconcile };
}

async function play(given: readonly (object | Error)[], time: number): Promise<number[]> {
  const clock = new FakeClock();
  const { runs, reconcile } = answers(clock, ...given);
  const { controller } = setup(reconcile, { clock });
  controller.start();
  controller.enqueue('a/b');
  await clock.advanceAsync(time);
  await controller.stop();
  expect(clock.pending).toBe(0);
  return runs;
}

test('a success is not repeated', async () => {
  expect(await play([{}], 60_000)).toEqual([0]);
});

test('a success may ask to look again', async () => {
  expect(await play([{ requeueAfter: 1000 }, {}], 60_000)).toEqual([0, 1000]);
});

test('an error is tried again, later each time', async () => {
  const failed = new Error('no');
  expect(await play([failed, failed, failed, {}], 60_000)).toEqual([0, 5, 15, 35]);
});

test('a lost race is tried again at once', async () => {
  expect(await play([errorOfStatus(409, { reason: 'Conflict' }), {}], 60_000)).toEqual([0, 0]);
});

test('what cannot succeed is not tried again', async () => {
  expect(await play([new TerminalError('bad spec')], 60_000)).toEqual([0]);
});

test('a process that does not lead any more reconciles nothing', async () => {
  let leads = true;
  const runs: string[] = [];
  const reconcile: Reconcile = async (key) => {
    runs.push(key);
    return {};
  };
  const { clock, controller } = setup(reconcile, { mayWrite: () => leads });
  controller.start();
  controller.enqueue('a');
  await clock.advanceAsync(1);
  leads = false;
  controller.enqueue('b');
  await clock.advanceAsync(1);
  expect(runs).toEqual(['a']);
  await controller.stop();
});

test('stop tells the running reconcile, waits for it, and begins no other', async () => {
  const runs: string[] = [];
  const end = Promise.withResolvers<void>();
  const { clock, controller } = setup(
    async (key, signal) => {
      runs.push(`${key} begins`);
      await end.promise;
      runs.push(`${key} ends, told: ${signal.aborted}`);
      return {};
    },
    { workers: 1 },
  );
  controller.start();
  controller.enqueue('a');
  controller.enqueue('b');
  await clock.advanceAsync(100);
  let isStopped = false;
  const stopped = controller.stop().then(() => (isStopped = true));
  await clock.advanceAsync(100);
  expect(isStopped).toBe(false);
  end.resolve();
  await stopped;
  expect(runs).toEqual(['a begins', 'a ends, told: true']);
  expect(clock.pending).toBe(0);
});

test('a reconcile that hangs is told after its time, and stop does not wait for ever', async () => {
  const seen: AbortSignal[] = [];
  const { clock, controller } = setup(
    (_, signal) => {
      seen.push(signal);
      return new Promise(() => undefined);
    },
    { timeout: 5000 },
  );
  controller.start();
  controller.enqueue('a');
  await clock.advanceAsync(4999);
  expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
  await clock.advanceAsync(1);
  expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
  expect(controller.longestActive).toBe(5000);
  const stopped = controller.stop();
  await clock.advanceAsync(10_000);
  await stopped;
});

test('workers run different keys side by side', async () => {
  let running = 0;
  let most = 0;
  const { clock, controller } = setup(
    async () => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((done) => clock.after(10, done));
      running -= 1;
      return {};
    },
    { workers: 3 },
  );
  controller.start();
  for (const key of ['a', 'b', 'c', 'd', 'a']) controller.enqueue(key);
  await clock.advanceAsync(100);
  expect(most).toBe(3);
  await controller.stop();
});

test('metrics tell results, retries and what waits', async () => {
  const given = [new Error('no'), errorOfStatus(409, { reason: 'Conflict' }), {}];
  const clock = new FakeClock();
  const { runs, reconcile } = answers(clock, ...given);
  const { controller, registry } = setup(reconcile, { clock });
  controller.enqueue('a');
  expect(await registry.metrics()).toContain('workqueue_depth{name="test"} 1');
  controller.start();
  await clock.advanceAsync(1000);
  expect(runs).toHaveLength(3);
  const text = await registry.metrics();
  for (const line of [
    'controller_runtime_reconcile_total{controller="test",result="error"} 1',
    'controller_runtime_reconcile_total{controller="test",result="requeue"} 1',
    'controller_runtime_reconcile_total{controller="test",result="success"} 1',
    'controller_runtime_reconcile_errors_total{controller="test"} 1',
    'controller_runtime_reconcile_time_seconds_count{controller="test"} 3',
    'workqueue_retries_total{name="test"} 2',
    'workqueue_depth{name="test"} 0',
    'workqueue_queue_duration_seconds_count{name="test"} 3',
  ])
    expect(text).toContain(line);
  await controller.stop();
});
