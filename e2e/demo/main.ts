/** `make demo`: a cluster on this machine, a VoiceAgent applied to it, and a telephone that calls it. */
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { down } from '../cluster/cluster.ts';
import { Kubectl } from '../cluster/kubectl.ts';
import { folders, kubeconfig } from '../cluster/layout.ts';
import {
  createNamespace,
  installParley,
  releaseNamespace,
  upWithImages,
} from '../cluster/release.ts';
import { addressOf, PodApi, podsOf, untilAgentReady } from '../cluster/voice-agent.ts';
import { createPerson } from '../phone/voice.ts';
import { Screen } from '../talk/screen.ts';
import { type Cast, heardPhrases, lines, losePod, talk } from './script.ts';
import { watch } from './watch.ts';

const root = resolve(import.meta.dirname, '../..');
const example = 'examples/pizza-voiceagent.yaml';
const isKept = (process.env['KEEP'] ?? '') !== '';
const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const screen = new Screen((text) => process.stdout.write(text), isColoured);
const kubectl = new Kubectl(kubeconfig, 'pizzeria');

let step = 'the cluster starts';

process.exitCode = await main();

async function main(): Promise<number> {
  const began = performance.now();
  let isUp = false;
  try {
    if (process.getuid?.() !== 0) throw new Error('a cluster on this machine needs root');
    screen.title('A Kubernetes cluster on this machine');
    const images = await timed('nodes are Ready', () => upWithImages(3, say));
    isUp = true;
    process.once('SIGINT', () => void down().then(() => process.exit(130)));
    screen.title('Parley by its Helm chart, and a VoiceAgent');
    await timed('helm install', () => installParley(kubectl, images));
    await applyExample();
    await demonstrate();
    screen.success(`Every word was right at both ends. All of it took ${seconds(began)}.`);
    return 0;
  } catch (error) {
    screen.failure(step, error instanceof Error ? error.message : String(error));
    if (isUp) await lookAround();
    return 1;
  } finally {
    if (isUp) await leave();
  }
}

function say(text: string): void {
  screen.note(text);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  step = what;
  const began = performance.now();
  const result = await work();
  screen.does(what, `after ${seconds(began)}`);
  return result;
}

async function applyExample(): Promise<void> {
  await createNamespace(kubectl, kubectl.namespace, 'privileged');
  const said = await kubectl.run(
    ['apply', '--filename', '-'],
    readFileSync(resolve(root, example), 'utf8'),
  );
  screen.does('kubectl apply', `-f ${example}: ${said.trim()}`);
  await timed('the agent is Ready', () => untilAgentReady(kubectl, 'pizza'));
}

/** Two calls, and the loss of a pod between them, beside what kubectl shows meanwhile. */
async function demonstrate(): Promise<void> {
  const caller = createPerson({ voice: 'rms', phrases: heardPhrases });
  const watches = (['voiceagents', 'pods'] as const).map((kind) =>
    watch(kubectl, kind, (line) => screen.note(`${`kubectl get ${kind}`.padEnd(24)} ${line}`)),
  );
  try {
    await Promise.all(Object.values(lines).map((line) => caller.rehearse(line)));
    const api = await PodApi.of(kubectl, 'pizza');
    const onStep = (next: string) => {
      step = next;
    };
    const cast: Cast = { screen, onStep, kubectl, api, caller, latencies: [] };
    screen.title('A call from outside of the cluster');
    const setUp = await talk(cast, ['order', 'specials']);
    screen.title('The pod is deleted, and another takes its place');
    const back = await losePod(cast);
    await talk(cast, []);
    report({ setUp, back, latencies: cast.latencies });
  } finally {
    for (const end of watches) end();
    await caller.close();
  }
}

interface Figures {
  readonly setUp: number;
  readonly back: number;
  readonly latencies: readonly number[];
}

function report({ setUp, back, latencies }: Figures): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  screen.title('Measured by the telephone');
  screen.figure('INVITE to 200 OK', `${setUp.toFixed(0)} ms`);
  screen.figure(
    'end of the caller to the answer, median',
    `${(sorted[sorted.length >> 1] ?? 0).toFixed(0)} ms`,
  );
  screen.plain('  (of which 600 ms are the silence that ends a turn, endSilenceMs)');
  screen.figure('pod deleted, to its replacement ready', `${(back / 1000).toFixed(1)} s`);
}

async function lookAround(): Promise<void> {
  const system = kubectl.in(releaseNamespace);
  const looks = await Promise.allSettled([
    kubectl.run(['get', 'voiceagents,pods', '--output', 'wide']),
    kubectl.run(['get', 'events']),
    system.run(['get', 'pods', '--output', 'wide']),
    system.run(['logs', '--selector', 'app.kubernetes.io/component=operator', '--tail', '20']),
  ]);
  for (const look of looks) if (look.status === 'fulfilled') screen.plain(look.value);
}

async function leave(): Promise<void> {
  if (!isKept) {
    screen.plain('Ending the cluster (KEEP=1 make demo leaves it up).');
    await down();
    return;
  }
  const bin = relative(process.cwd(), folders.bin);
  const [pod] = await podsOf(kubectl, 'pizza').catch(() => []);
  screen.title('The cluster stays up');
  screen.plain(`  export KUBECONFIG=${relative(process.cwd(), kubeconfig)} PATH=$PWD/${bin}:$PATH`);
  screen.plain('  kubectl -n pizzeria get voiceagents,pods');
  screen.plain('  kubectl -n pizzeria edit voiceagent pizza        # the next call hears it');
  if (pod) screen.plain(`  call sip:pizza@${addressOf(pod, 'sip-udp')} from this machine`);
  screen.plain('  make down                                        # removes all of it');
}
