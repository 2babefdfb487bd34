import type { X509Certificate } from 'node:crypto';
import { X509Certificate as Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { alternativeNamesOf } from './alternative-names.ts';
import { type CertificateFault, certificateFaultOf } from './certificate-fault.ts';

/** What the certificate of one who connected to us is worth. */
export type PeerCertificateVerdict =
  | { readonly kind: 'good'; readonly names: readonly string[] }
  | { readonly kind: 'fault'; readonly fault: CertificateFault };

/** Judges the certificate that a client has shown, against the authorities for clients; `wall` in ms. */
export function judgePeer(
  socket: TLSSocket,
  clientCa: string | Buffer,
  wall: number,
): PeerCertificateVerdict {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return { kind: 'fault', fault: 'missing' };
  const fault = faultOf(socket, leaf, { clientCa, wall });
  if (fault !== undefined) return { kind: 'fault', fault };
  return { kind: 'good', names: alternativeNamesOf(leaf.subjectAltName) };
}

/** The names that a server has proven, OpenSSL having verified it. */
export function namesOfServer(socket: TLSSocket): readonly string[] {
  return alternativeNamesOf(socket.getPeerX509Certificate()?.subjectAltName);
}

function faultOf(
  socket: TLSSocket,
  leaf: X509Certificate,
  { clientCa, wall }: { clientCa: string | Buffer; wall: number },
): CertificateFault | undefined {
  if (socket.authorized) return undefined;
  // Typed as an error, it is the code as a text.
  const fault = certificateFaultOf(String(socket.authorizationError)) ?? 'other';
  if (fault !== 'wrong-purpose') return fault;
  // Servers that connect to us show certificates for servers, Microsoft's since 2026 for nothing else
  // (RFC 5924 asks for neither). OpenSSL's word on the chain is lost with its word on the purpose.
  return leaf.keyUsage?.includes(serverAuth) ? chainFaultOf(leaf, { clientCa, wall }) : fault;
}

/** id-kp-serverAuth; what Node calls `keyUsage` is the extended one. */
const serverAuth = '1.3.6.1.5.5.7.3.1';
const longestChain = 5;

function chainFaultOf(
  leaf: X509Certificate,
  { clientCa, wall }: { clientCa: string | Buffer; wall: number },
): CertificateFault | undefined {
  const authorities = certificatesIn(clientCa);
  let current: X509Certificate | undefined = leaf;
  for (let depth = 0; current && depth < longestChain; depth++) {
    const fault = dateFaultOf(current, wall);
    if (fault) return fault;
    const subject: X509Certificate = current;
    const root = authorities.find((each) => isIssuer(each, subject));
    if (root) return dateFaultOf(root, wall);
    const next: X509Certificate | undefined = subject.issuerCertificate;
    current = next && isIssuer(next, subject) ? next : undefined;
  }
  return 'untrusted';
}

function isIssuer(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function dateFaultOf({ validFrom, validTo }: X509Certificate, wall: number) {
  if (Date.parse(validTo) < wall) return 'expired';
  return Date.parse(validFrom) > wall ? 'not-yet-valid' : undefined;
}

function certificatesIn(pem: string | Buffer): X509Certificate[] {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => new Certificate(block));
}
