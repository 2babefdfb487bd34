import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../base/errors.ts';
import type { WorkerMessage } from './worker-pool.ts';

/** The other end of a `WorkerPool`, in the thread: loads, says it is ready, and answers jobs in order. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what jobs are
export async function answerJobs<Job>(load: () => Promise<(job: Job) => unknown>): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('not a worker thread');
  const work = await load();
  const post = (message: WorkerMessage<unknown>) => port.postMessage(message);
  port.on('message', (job: Job) => {
    try {
      post({ type: 'done', result: work(job) });
    } catch (error) {
      post({ type: 'failed', message: messageOf(error) });
    }
  });
  post({ type: 'ready' });
}
