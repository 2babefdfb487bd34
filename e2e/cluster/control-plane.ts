import { join } from 'node:path';
import { binary, folders, hostAddress, serviceRange } from './layout.ts';
import { kubeconfig, pkiFile } from './pki.ts';
import { run, runArgs, startDaemon, until } from './shell.ts';

const etcdClient = 'http://127.0.0.1:23790';
const etcdPeer = 'http://127.0.0.1:23800';

function flags(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `--${name}=${value}`)
    .join(' ');
}

/** etcd and the API server; resolves when `/readyz` says so. */
export async function startApiServer(): Promise<void> {
  startDaemon(
    'etcd',
    `etcd ${flags({
      name: 'kc',
      'data-dir': join(folders.state, 'etcd'),
      'listen-client-urls': etcdClient,
      'advertise-client-urls': etcdClient,
      'listen-peer-urls': etcdPeer,
      'initial-advertise-peer-urls': etcdPeer,
      'initial-cluster': `kc=${etcdPeer}`,
      logger: 'zap',
      'log-level': 'warn',
    })}`,
  );
  startDaemon('kube-apiserver', `${binary('kube-apiserver')} ${flags(apiServerFlags())}`);
  await until('the API server', 60_000, () => kubectl('get --raw /readyz') === 'ok');
}

function apiServerFlags(): Record<string, string | number> {
  return {
    'bind-address': hostAddress,
    'advertise-address': hostAddress,
    'secure-port': 6443,
    'etcd-servers': etcdClient,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'anonymous-auth': 'false',
    'allow-privileged': 'true',
    'client-ca-file': pkiFile('ca.crt'),
    'tls-cert-file': pkiFile('apiserver.crt'),
    'tls-private-key-file': pkiFile('apiserver.key'),
    'kubelet-certificate-authority': pkiFile('ca.crt'),
    'kubelet-client-certificate': pkiFile('kubelet-client.crt'),
    'kubelet-client-key': pkiFile('kubelet-client.key'),
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': pkiFile('sa.pub'),
    'service-account-signing-key-file': pkiFile('sa.key'),
    'service-cluster-ip-range': serviceRange,
    'requestheader-client-ca-file': pkiFile('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'proxy-client-cert-file': pkiFile('front-proxy.crt'),
    'proxy-client-key-file': pkiFile('front-proxy.key'),
    'enable-aggregator-routing': 'true',
    // A node that dies must be felt in seconds, not in the five minutes of the defaults.
    'default-not-ready-toleration-seconds': 2,
    'default-unreachable-toleration-seconds': 2,
    profiling: 'false',
  };
}

function accessFlags(name: string): Record<string, string | number> {
  return {
    kubeconfig: pkiFile(`${name}.kubeconfig`),
    'authentication-kubeconfig': pkiFile(`${name}.kubeconfig`),
    'authorization-kubeconfig': pkiFile(`${name}.kubeconfig`),
    'bind-address': '127.0.0.1',
    'leader-elect': 'false',
    'kube-api-qps': 100,
    'kube-api-burst': 200,
  };
}

/** Controller manager and scheduler, and what the API server may do with kubelets. */
export function startControllers(): void {
  const manager = {
    ...accessFlags('controller-manager'),
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': pkiFile('sa.key'),
    'root-ca-file': pkiFile('ca.crt'),
    'cluster-signing-cert-file': pkiFile('ca.crt'),
    'cluster-signing-key-file': pkiFile('ca.key'),
    'node-monitor-period': '1s',
    'node-monitor-grace-period': '6s',
    'node-eviction-rate': 100,
    'secondary-node-eviction-rate': 100,
    'large-cluster-size-threshold': 0,
    'flex-volume-plugin-dir': join(folders.state, 'flexvolume'),
  };
  startDaemon('kube-controller-manager', `${binary('kube-controller-manager')} ${flags(manager)}`);
  startDaemon('kube-scheduler', `${binary('kube-scheduler')} ${flags(accessFlags('scheduler'))}`);
  kubectlApply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'parley-kubelet-client' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:kubelet-api-admin',
    },
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'parley:kubelet-client' },
    ],
  });
}

/** kubectl as administrator; words between spaces. Returns what it printed. */
export function kubectl(command: string): string {
  return run(`${binary('kubectl')} --kubeconfig ${kubeconfig} --request-timeout=10s ${command}`);
}

/** Creates or updates one object. */
function kubectlApply(object: object): void {
  runArgs(binary('kubectl'), ['--kubeconfig', kubeconfig, 'apply', '-f', '-'], {
    input: JSON.stringify(object),
  });
}
