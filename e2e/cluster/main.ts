/**
 * A throw-away real cluster on this machine (root):
 *   node e2e/cluster/main.ts build | up [NODES] | down | cut NODE | power NODE | kubectl …
 */
import { spawnSync } from 'node:child_process';
import { ensureBinaries } from './binaries.ts';
import { down } from './cluster.ts';
import { binary, kubeconfig, nodeOf } from './layout.ts';
import { powerCut, powerOn, untilReady } from './node.ts';
import { upWithImages } from './release.ts';

function nodeNamed(name: string | undefined) {
  const number = Number(/^n([1-9])$/.exec(name ?? '')?.[1]);
  if (Number.isNaN(number)) throw new Error(`no node ${name ?? ''}: they are n1 to n9`);
  return nodeOf(number);
}

function say(text: string): void {
  console.error(`cluster: ${text}`);
}

const commands: Record<string, (args: string[]) => Promise<void> | void> = {
  build: () => ensureBinaries(say),
  async up([count = '3']) {
    const started = performance.now();
    await upWithImages(Number(count), say);
    say(`${count} nodes Ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    console.log(`export KUBECONFIG=${kubeconfig} PATH=${binary('')}:$PATH`);
  },
  down,
  cut: ([name]) => powerCut(nodeNamed(name)),
  async power([name]) {
    const node = nodeNamed(name);
    const since = Date.now();
    powerOn(node);
    await untilReady(node, since);
  },
  kubectl(args) {
    const done = spawnSync(binary('kubectl'), ['--kubeconfig', kubeconfig, ...args], {
      stdio: 'inherit',
    });
    process.exitCode = done.status ?? 1;
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
try {
  if (!command) throw new Error(`there are: ${Object.keys(commands).join(', ')}`);
  await command(args);
} catch (error) {
  console.error(`cluster: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof Error && error.cause instanceof Error) console.error(error.cause.message);
  process.exitCode = 1;
}
