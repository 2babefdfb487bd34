import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Kubectl } from '../cluster/kubectl.ts';
import { binary } from '../cluster/layout.ts';

/** `kubectl get KIND --watch`: each line as it comes. Returns its end. */
export function watch(
  { kubeconfig, namespace }: Kubectl,
  kind: string,
  onLine: (line: string) => void,
): () => void {
  const place = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  const child = spawn(binary('kubectl'), [...place, 'get', kind, '--watch'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Kubernetes tells of changes that the columns do not show.
    if (line !== last) onLine(line);
    last = line;
  });
  return () => child.kill();
}
