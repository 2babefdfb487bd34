import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate, its key, and the authority that signed it, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/** A new authority and a certificate of it for the given names (`DNS:…`, `IP:…`, `URI:…`). */
export function makeCertificate(names: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const file = (name: string) => join(folder, name);
  try {
    const authority = ['-keyout', file('ca.key'), '-out', file('ca.pem')];
    openssl('req', '-x509', ...curve, '-subj', '/CN=Test authority', '-days', '2', ...authority);
    const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
    const san = ['-subj', '/CN=test', '-addext', `subjectAltName=${names.join(',')}`];
    const usage = ['-addext', 'basicConstraints=critical,CA:FALSE'];
    const output = ['-keyout', file('key'), '-out', file('cert.pem')];
    openssl('req', '-x509', ...curve, ...signer, ...san, ...usage, '-days', '2', ...output);
    const read = (name: string) => readFileSync(file(name), 'utf8');
    return { cert: read('cert.pem'), key: read('key'), ca: read('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
