import { join, resolve } from 'node:path';

/** Everything of the cluster is below one folder of the checkout; nothing is written elsewhere. */
const root = resolve(import.meta.dirname, '../../.cache/cluster');

export const folders = {
  root,
  bin: join(root, 'bin'),
  pki: join(root, 'pki'),
  images: join(root, 'images'),
  /** Of one run: logs, pid files, etcd, nodes. Removed by `down`. */
  state: join(root, 'state'),
} as const;

/** The names all begin alike, so that what is left behind can be found. */
export const bridge = 'kcbr0';
export const hostAddress = '10.77.0.1';
export const apiServer = `https://${hostAddress}:6443`;
export const serviceRange = '10.96.0.0/16';
export const firstService = '10.96.0.1';

export interface Node {
  readonly name: string;
  readonly netns: string;
  /** Ends of the veth pair: in the root namespace, and in the node. */
  readonly link: string;
  readonly address: string;
  readonly podRange: string;
  readonly folder: string;
  readonly cgroup: string;
}

/** Node 1 to 9. */
export function nodeOf(number: number): Node {
  const name = `n${number}`;
  return {
    name,
    netns: `kc-${name}`,
    link: `kc${name}`,
    address: `10.77.0.1${number}`,
    podRange: `10.78.${number}.0/24`,
    folder: join(folders.state, name),
    cgroup: `/kc-${name}`,
  };
}

export function nodesOf(count: number): Node[] {
  return Array.from({ length: count }, (_, index) => nodeOf(index + 1));
}

export function binary(name: string): string {
  return join(folders.bin, name);
}

export const kubeconfig = join(folders.pki, 'admin.kubeconfig');
