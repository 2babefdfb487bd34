import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiServer, firstService, folders, hostAddress, kubeconfig, type Node } from './layout.ts';
import { run } from './shell.ts';

const days = '3650';

export function pkiFile(name: string): string {
  return join(folders.pki, name);
}

/** What every key here is: P-256, without a passphrase. */
const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';

function authority(name: string): void {
  if (existsSync(pkiFile(`${name}.crt`))) return;
  const files = `-keyout ${pkiFile(`${name}.key`)} -out ${pkiFile(`${name}.crt`)}`;
  run(`openssl req -x509 ${newKey} -days ${days} -subj /CN=${name} ${files}`);
}

interface Certificate {
  readonly name: string;
  readonly subject: string;
  readonly ca?: string;
  /** `IP:…,DNS:…` for a server. */
  readonly names?: string;
}

function certificate({ name, subject, ca = 'ca', names }: Certificate): void {
  if (existsSync(pkiFile(`${name}.crt`))) return;
  const extensions = pkiFile(`${name}.ext`);
  writeFileSync(
    extensions,
    `extendedKeyUsage=serverAuth,clientAuth\n${names ? `subjectAltName=${names}\n` : ''}`,
  );
  const request = pkiFile(`${name}.csr`);
  run(`openssl req ${newKey} -subj ${subject} -keyout ${pkiFile(`${name}.key`)} -out ${request}`);
  const signer = `-CA ${pkiFile(`${ca}.crt`)} -CAkey ${pkiFile(`${ca}.key`)} -CAcreateserial`;
  const files = `-extfile ${extensions} -out ${pkiFile(`${name}.crt`)}`;
  run(`openssl x509 -req -days ${days} -in ${request} ${signer} ${files}`);
  writeKubeconfig(name);
}

/** JSON is YAML. */
function writeKubeconfig(name: string): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'kc', cluster: { server: apiServer, 'certificate-authority': pkiFile('ca.crt') } },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate': pkiFile(`${name}.crt`),
          'client-key': pkiFile(`${name}.key`),
        },
      },
    ],
    contexts: [{ name: 'kc', context: { cluster: 'kc', user: name } }],
    'current-context': 'kc',
  };
  writeFileSync(pkiFile(`${name}.kubeconfig`), JSON.stringify(config, null, 2), { mode: 0o600 });
}

/** Makes what is missing; kept from run to run. */
export function ensurePki(nodes: readonly Node[]): void {
  mkdirSync(folders.pki, { recursive: true, mode: 0o700 });
  authority('ca');
  authority('front-proxy-ca');
  const serverNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
    .map((name) => `DNS:${name}`)
    .join(',');
  certificate({
    name: 'apiserver',
    subject: '/CN=kube-apiserver',
    names: `IP:${hostAddress},IP:127.0.0.1,IP:${firstService},${serverNames}`,
  });
  certificate({ name: 'kubelet-client', subject: '/O=parley:kubelet-client/CN=apiserver' });
  certificate({ name: 'front-proxy', subject: '/CN=front-proxy', ca: 'front-proxy-ca' });
  certificate({ name: 'admin', subject: '/O=system:masters/CN=admin' });
  certificate({ name: 'controller-manager', subject: '/CN=system:kube-controller-manager' });
  certificate({ name: 'scheduler', subject: '/CN=system:kube-scheduler' });
  certificate({ name: 'kube-proxy', subject: '/CN=system:kube-proxy' });
  for (const { name, address } of nodes)
    certificate({
      name,
      subject: `/O=system:nodes/CN=system:node:${name}`,
      names: `IP:${address},DNS:${name}`,
    });
  if (existsSync(pkiFile('sa.pub'))) return;
  run(`openssl genrsa -out ${pkiFile('sa.key')} 2048`);
  run(`openssl rsa -in ${pkiFile('sa.key')} -pubout -out ${pkiFile('sa.pub')}`);
}

export { kubeconfig };
