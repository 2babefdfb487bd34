import type { TestProject } from 'vitest/node';
import { down } from '../../cluster/cluster.ts';
import { kubeconfig } from '../../cluster/layout.ts';
import { type Images, upWithImages } from '../../cluster/release.ts';

/** The cluster of this run. */
export interface Target {
  readonly kubeconfig: string;
  readonly images: Images;
  /** Started by us on this machine: its nodes may lose their power. */
  readonly isOurs: boolean;
}

declare module 'vitest' {
  interface ProvidedContext {
    target: Target;
  }
}

function say(text: string): void {
  process.stderr.write(`cluster: ${text}\n`);
}

/**
 * Starts a cluster of three nodes and ends it afterwards, whatever the tests did. With E2E_KUBECONFIG,
 * E2E_CONNECTOR_IMAGE and E2E_OPERATOR_IMAGE (which its nodes can pull) another cluster is used.
 */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { E2E_KUBECONFIG: other, E2E_CONNECTOR_IMAGE, E2E_OPERATOR_IMAGE } = process.env;
  if (other !== undefined) {
    if (!E2E_CONNECTOR_IMAGE || !E2E_OPERATOR_IMAGE)
      throw new Error('E2E_KUBECONFIG needs E2E_CONNECTOR_IMAGE and E2E_OPERATOR_IMAGE');
    const images = { connector: E2E_CONNECTOR_IMAGE, operator: E2E_OPERATOR_IMAGE };
    provide('target', { kubeconfig: other, images, isOurs: false });
    return async () => undefined;
  }
  if (process.getuid?.() !== 0)
    throw new Error('a cluster on this machine needs root; E2E_KUBECONFIG names another one');
  const images = await upWithImages(3, say);
  // vitest tears down on an interrupt only.
  process.once('SIGTERM', () => void down().finally(() => process.exit(143)));
  provide('target', { kubeconfig, images, isOurs: true });
  return down;
}
