import { systemClock } from '../../../connector/src/base/clock.ts';
import { silentLog } from '../../../connector/src/base/log.ts';
import { createKubeClient } from '../../src/kube/create-kube-client.ts';
import { fencedClient } from '../../src/kube/fenced-client.ts';
import { configMaps } from '../../src/kube/kinds.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { createLeaderElection } from '../../src/kube/leader-election.ts';

/**
 * A process that runs for leadership and, while it leads, writes every 50 ms: `candidate.ts kubeconfig
 * identity`. It prints a line for each thing that happens, and ends when it loses, as the operator does.
 */
const [kubeconfig = '', identity = ''] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const client = createKubeClient({ kubeconfig, clock: systemClock, log: silentLog });
const election = createLeaderElection({
  client,
  namespace: 'default',
  name: 'candidates',
  identity,
  // A third of the usual times.
  timing: { leaseDuration: 5000, renewDeadline: 3000, retryPeriod: 500 },
  clock: systemClock,
  random: Math.random,
  log: silentLog,
  onElected: () => say('elected'),
  onLost: () => {
    say('lost');
    process.exitCode = 3;
    clearInterval(writing);
    void client.close();
  },
});
const fenced = fencedClient(client, () => election.holds());

async function write(): Promise<void> {
  try {
    await fenced.applyServerSide(
      configMaps,
      {
        metadata: { namespace: 'default', name: 'written-by' },
        data: { identity, at: String(Date.now()) },
      },
      { fieldManager: 'candidate', force: true },
    );
  } catch (error) {
    if (election.leader === identity && error instanceof KubeError) say(`refused ${error.reason}`);
  }
}

const writing = setInterval(() => void write(), 50);
process.once('SIGTERM', () => {
  clearInterval(writing);
  void election.stop().then(() => client.close());
});
election.start();
say('started');
