import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { kubectl } from './control-plane.ts';
import { containerdConfig, containerdFolder, copyStore } from './image-store.ts';
import { folders, hostAddress, type Node } from './layout.ts';
import { pkiFile } from './pki.ts';
import { pidOf, startDaemon, stopDaemon, until } from './shell.ts';

const cgroupHierarchies = '/sys/fs/cgroup';

/** Switches a node on: containerd, kubelet and kube-proxy run. */
export function powerOn(node: Node): void {
  if (pidOf(node.name) !== undefined) throw new Error(`${node.name} is on already`);
  writeNodeFiles(node);
  makeCgroups(node.cgroup);
  const init = join(import.meta.dirname, 'node-init.sh');
  startDaemon(
    node.name,
    `nsenter --net=/run/netns/${node.netns} unshare --mount --pid --uts --fork --mount-proc --kill-child ${init} ${node.name} ${node.folder} ${folders.bin}`,
  );
}

/** Cuts a node's power: everything on it is gone in the same instant, nothing is told. */
export async function powerCut(node: Node): Promise<void> {
  await stopDaemon(node.name);
  await removeCgroups(node);
}

/** Waits until the node's own kubelet says Ready (after a power cut the API server may still say so). */
export async function untilReady(node: Node, since = Date.now()): Promise<void> {
  await until(`node ${node.name} to be Ready`, 90_000, () => {
    const { status } = JSON.parse(kubectl(`get node ${node.name} -o json`)) as {
      status: { conditions?: { type: string; status: string; lastHeartbeatTime: string }[] };
    };
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    // Heartbeats are whole seconds.
    return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= since - 1000;
  });
}

/** Gives a node that is off the images of the store. */
export function loadImages(node: Node): void {
  mkdirSync(node.folder, { recursive: true });
  copyStore(containerdFolder(node.folder));
}

function writeNodeFiles(node: Node): void {
  mkdirSync(node.folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(node.folder, name), text);
  write('address', node.address);
  write('kubelet.json', JSON.stringify(kubeletConfig(node), null, 2));
  copyFileSync(pkiFile(`${node.name}.kubeconfig`), join(node.folder, 'kubelet.kubeconfig'));
  write('kube-proxy.json', JSON.stringify(proxyConfig(node), null, 2));
  write('containerd.toml', containerdConfig(node.folder));
  mkdirSync(join(node.folder, 'cni'), { recursive: true });
  write('cni/10-bridge.conflist', JSON.stringify(cniConfig(node), null, 2));
  const resolv = join(node.folder, 'resolv.conf');
  if (!existsSync(resolv)) writeFileSync(resolv, `nameserver ${hostAddress}\n`);
}

function kubeletConfig({ name, folder, cgroup }: Node): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failSwapOn: false,
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    podLogsDir: join(folder, 'pod-logs'),
    resolvConf: join(folder, 'resolv.conf'),
    volumePluginDir: join(folder, 'volume-plugins'),
    makeIPTablesUtilChains: false,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pkiFile(`${name}.crt`),
    tlsPrivateKeyFile: pkiFile(`${name}.key`),
    nodeStatusUpdateFrequency: '1s',
    nodeLeaseDurationSeconds: 4,
    configMapAndSecretChangeDetectionStrategy: 'Watch',
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    // Images come from files and cannot be had again.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    clusterDNS: [hostAddress],
    clusterDomain: 'cluster.local',
    maxPods: 50,
  };
}

function proxyConfig({ name, podRange }: Node): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: name,
    clusterCIDR: podRange,
    clientConnection: { kubeconfig: pkiFile('kube-proxy.kubeconfig') },
    // The connection tracking table belongs to the whole machine.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: '0s',
      tcpCloseWaitTimeout: '0s',
    },
  };
}

function cniConfig({ podRange }: Node): object {
  return {
    cniVersion: '0.4.0',
    name: 'kc',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** One root per kubelet in every hierarchy. */
function makeCgroups(path: string): void {
  for (const hierarchy of readdirSync(cgroupHierarchies)) {
    const folder = join(cgroupHierarchies, hierarchy, path);
    mkdirSync(folder);
    if (hierarchy !== 'cpuset') continue;
    // An empty cpuset admits nobody.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      writeFileSync(
        join(folder, file),
        readFileSync(join(cgroupHierarchies, hierarchy, file), 'utf8'),
      );
  }
}

/** Removes the cgroups of a node that is off; its last processes may still be dying. */
export async function removeCgroups({ name, cgroup }: Node): Promise<void> {
  await until(`the processes of ${name} to end`, 20_000, () => {
    for (const hierarchy of readdirSync(cgroupHierarchies))
      removeCgroup(join(cgroupHierarchies, hierarchy, cgroup));
    return true;
  });
}

function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  rmdirSync(folder);
}
