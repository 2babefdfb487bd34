import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { startApiServer, startControllers } from './control-plane.ts';
import { fillStore } from './image-store.ts';
import { ensurePauseImage } from './images.ts';
import { folders, type Node, nodesOf } from './layout.ts';
import { createNetwork, removeNetwork } from './network.ts';
import { loadImages, powerOn, removeCgroups, untilReady } from './node.ts';
import { ensurePki } from './pki.ts';
import { daemons, stopDaemon } from './shell.ts';

const ownerFile = join(folders.state, 'owner');

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
    ensureBinaries(say);
    ensurePki(nodes);
    createNetwork(nodes);
    fillStore([ensurePauseImage(), ...images()], say);
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

function takeOwnership(): void {
  const owner = ownerOf();
  if (owner !== undefined)
    throw new Error(`a cluster runs here already, started by ${owner}; end it with \`make down\``);
  rmSync(folders.state, { recursive: true, force: true });
  mkdirSync(folders.state, { recursive: true });
  const since = new Date().toISOString();
  writeFileSync(ownerFile, `pid ${process.pid} (${process.argv.slice(1).join(' ')}) at ${since}`);
}

/** Who started the cluster that runs (or was left) here; undefined when there is none. */
export function ownerOf(): string | undefined {
  return existsSync(ownerFile) ? readFileSync(ownerFile, 'utf8') : undefined;
}

/** Ends everything and leaves nothing but what can be used again (programs, certificates, images). */
export async function down(): Promise<void> {
  await Promise.all(daemons().map((name) => stopDaemon(name)));
  removeNetwork();
  for (const node of nodesOf(9)) await removeCgroups(node);
  rmSync(folders.state, { recursive: true, force: true });
}
