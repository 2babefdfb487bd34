import { resolve } from 'node:path';
import { up } from './cluster.ts';
import { execute, type Kubectl } from './kubectl.ts';
import { binary } from './layout.ts';
import { ensureImage } from './product-images.ts';

const chart = resolve(import.meta.dirname, '../../charts/parley');

export const release = 'parley';
export const releaseNamespace = 'parley-system';

/** Image names as `docker run` takes them. */
export interface Images {
  readonly connector: string;
  readonly operator: string;
}

/** Starts a cluster here with our images in its nodes. */
export async function upWithImages(nodes: number, say: (text: string) => void): Promise<Images> {
  let images: Images | undefined;
  await up({
    nodes,
    say,
    images() {
      const [connector, operator] = [ensureImage('connector', say), ensureImage('operator', say)];
      images = { connector: connector.name, operator: operator.name };
      return [connector.archive, operator.archive];
    },
  });
  if (!images) throw new Error('the cluster started without images');
  return images;
}

export function helm(kubectl: Kubectl, ...args: string[]): Promise<string> {
  const place = ['--kubeconfig', kubectl.kubeconfig, '--namespace', releaseNamespace];
  return execute(binary('helm'), [...args, ...place]);
}

/** Installs the chart, or changes what is installed; resolves when the operator is ready. */
export async function installParley(
  kubectl: Kubectl,
  images: Images,
  values: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  await createNamespace(kubectl, releaseNamespace, 'restricted');
  // A tag may look like a number.
  const names = { ...imageValues('connector', images), ...imageValues('operator', images) };
  const settings = [...settingsOf('--set-string', names), ...settingsOf('--set', values)];
  const wait = ['--wait', '--timeout', '120s'];
  await helm(kubectl, 'upgrade', '--install', release, chart, ...wait, ...settings);
}

function settingsOf(option: string, values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [option, `${key}=${value}`]);
}

function imageValues(name: keyof Images, images: Images): Record<string, string> {
  const image = images[name];
  const colon = image.lastIndexOf(':');
  return {
    [`${name}.image.repository`]: image.slice(0, colon),
    [`${name}.image.tag`]: image.slice(colon + 1),
  };
}

/** `privileged` is what pods on their node's network need. */
export async function createNamespace(
  kubectl: Kubectl,
  name: string,
  podSecurity: 'privileged' | 'restricted',
): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': podSecurity };
  await kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}
