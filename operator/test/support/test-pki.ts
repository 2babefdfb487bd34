import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tool = 'openssl';

/** A CA, the API server's certificate for loopback, an administrator's, and the key of service accounts. */
export function makePki(folder: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync(tool, args, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'.split(' ');
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '30',
    '-subj',
    '/CN=test-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  for (const [name, subject, extensions] of [
    ['server', '/CN=kube-apiserver', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'],
    ['admin', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth\n'],
  ] as const) {
    writeFileSync(join(folder, `${name}.ext`), extensions);
    openssl('req', ...newKey, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl(
      ...`x509 -req -days 30 -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial`.split(' '),
      ...`-extfile ${name}.ext -out ${name}.crt`.split(' '),
    );
  }
  openssl('genrsa', '-out', 'sa.key', '2048');
  openssl('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');
}

/** Of the administrator; JSON is YAML. */
export function kubeconfigOf(folder: string, server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server, 'certificate-authority': join(folder, 'ca.crt') } },
    ],
    users: [
      {
        name: 'admin',
        user: {
          'client-certificate': join(folder, 'admin.crt'),
          'client-key': join(folder, 'admin.key'),
        },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  });
}
