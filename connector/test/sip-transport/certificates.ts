import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate, its key, and the authority that signed it, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** The certificate between, where there is one. */
  readonly intermediate?: string;
}

export interface CertificateOptions {
  /** Its only extended key usage; any where absent. */
  readonly usage?: 'serverAuth' | 'clientAuth';
  readonly isExpired?: boolean;
  /** Signed by itself, and not by `ca`. */
  readonly isSelfSigned?: boolean;
  /** Signed by an intermediate authority that is signed by `ca`. */
  readonly hasIntermediate?: boolean;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/** A new authority and a certificate of it for the given names (`DNS:…`, `IP:…`, `URI:…`). */
export function makeCertificate(
  names: readonly string[],
  options: CertificateOptions = {},
): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  try {
    return new Workshop(folder).make(names, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Workshop {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  make(names: readonly string[], options: CertificateOptions): Certificate {
    const extensions = [
      `subjectAltName=${names.join(',')}`,
      'basicConstraints=critical,CA:FALSE',
      ...(options.usage ? [`extendedKeyUsage=${options.usage}`] : []),
    ].flatMap((each) => ['-addext', each]);
    const authority = ['-days', '2', ...this.#out('ca')];
    openssl('req', '-x509', ...curve, '-subj', '/CN=Test authority', ...authority);
    if (options.hasIntermediate) {
      const isAuthority = ['-addext', 'basicConstraints=critical,CA:TRUE'];
      openssl('req', '-new', ...curve, '-subj', '/CN=Between', ...isAuthority, ...this.#out('mid'));
      this.#sign('mid', 'ca', 2);
    }
    if (options.isSelfSigned) {
      openssl('req', '-x509', ...curve, '-subj', '/CN=test', ...extensions, ...this.#out('leaf'));
    } else {
      openssl('req', '-new', ...curve, '-subj', '/CN=test', ...extensions, ...this.#out('leaf'));
      this.#sign('leaf', options.hasIntermediate ? 'mid' : 'ca', options.isExpired ? -1 : 2);
    }
    return {
      cert: this.#read('leaf.pem'),
      key: this.#read('leaf.key'),
      ca: this.#read('ca.pem'),
      ...(options.hasIntermediate && { intermediate: this.#read('mid.pem') }),
    };
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #out(name: string): string[] {
    return ['-keyout', this.#file(`${name}.key`), '-out', this.#file(`${name}.pem`)];
  }

  /** Makes a certificate of the request in its place. */
  #sign(name: string, by: string, days: number): void {
    const file = this.#file(`${name}.pem`);
    const signer = ['-CA', this.#file(`${by}.pem`), '-CAkey', this.#file(`${by}.key`)];
    const rest = ['-CAcreateserial', '-days', String(days), '-copy_extensions', 'copyall'];
    openssl('x509', '-req', '-in', file, ...signer, ...rest, '-out', file);
  }

  #read(name: string): string {
    return readFileSync(this.#file(name), 'utf8');
  }
}
