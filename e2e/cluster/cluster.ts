import { mkdirSync, rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { startApiServer, startControllers } from './control-plane.ts';
import { fillStore } from './image-store.ts';
import { ensurePauseImage } from './images.ts';
import { folders, type Node, nodesOf } from './layout.ts';
import { bridgeOwner, claimBridge, createNetwork, removeNetwork } from './network.ts';
import { loadImages, powerOn, removeCgroups, untilReady } from './node.ts';
import { ensurePki } from './pki.ts';
import { daemons, stopDaemon } from './shell.ts';

export interface ClusterOptions {
  readonly nodes: number;
  /** Makes the images that every node has; returns their archives. */
  readonly images: () => readonly string[];
  readonly say: (text: string) => void;
}

/**
 * Starts a cluster from nothing and resolves when every node is Ready. Throws, naming who has it,
 * when one runs on this machine already: ports and names are the machine's.
 */
export async function up({ nodes: count, images, say }: ClusterOptions): Promise<Node[]> {
  takeOwnership();
  const nodes = nodesOf(count);
  try {
    await ensureBinaries(say);
    ensurePki(nodes);
    createNetwork(nodes);
    fillStore([await ensurePauseImage(), ...images()], say);
    for (const node of nodes) loadImages(node);
    for (const node of nodes) powerOn(node);
    await startApiServer();
    startControllers();
    for (const node of nodes) await untilReady(node);
    return nodes;
  } catch (error) {
    await down();
    throw error;
  }
}

/** Where the owner of a cluster can end it. */
const place = `in ${resolve(import.meta.dirname, '../..')}`;

function takeOwnership(): void {
  const command = process.argv
    .slice(1)
    .map((word) => basename(word))
    .join(' ');
  const since = new Date().toISOString().slice(0, 19);
  const other = claimBridge(`pid ${process.pid} (${command.slice(0, 60)}) at ${since} ${place}`);
  if (other !== undefined)
    throw new Error(
      `a cluster runs here already, started by ${other}; end it there with \`make down\``,
    );
  rmSync(folders.state, { recursive: true, force: true });
  mkdirSync(folders.state, { recursive: true });
}

/**
 * Ends everything and leaves nothing but what can be used again (programs, certificates, images). Throws
 * when the cluster is that of another checkout.
 */
export async function down(): Promise<void> {
  const owner = bridgeOwner();
  if (owner !== undefined && !owner.endsWith(place))
    throw new Error(`the cluster that runs here is not ours but was started by ${owner}`);
  await Promise.all(daemons().map((name) => stopDaemon(name)));
  removeNetwork();
  for (const node of nodesOf(9)) await removeCgroups(node);
  rmSync(folders.state, { recursive: true, force: true });
}
