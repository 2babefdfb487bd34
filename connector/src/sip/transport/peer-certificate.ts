import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { alternativeNamesOf } from './alternative-names.ts';
import { type CertificateFault, certificateFaultOf } from './certificate-fault.ts';

/** What the certificate of one who connected to us is worth. */
export type PeerCertificateVerdict =
  | { readonly kind: 'good'; readonly names: readonly string[] }
  | { readonly kind: 'fault'; readonly fault: CertificateFault };

/** Judges the certificate that a client has shown, OpenSSL having verified it against `clientCa`. */
export function judgePeer(socket: TLSSocket, clientCa: string | Buffer): PeerCertificateVerdict {
  try {
    return judge(socket, clientCa);
  } catch {
    // What a stranger put into a certificate must not end the process.
    return { kind: 'fault', fault: 'other' };
  }
}

function judge(socket: TLSSocket, clientCa: string | Buffer): PeerCertificateVerdict {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return { kind: 'fault', fault: 'missing' };
  const fault = faultOf(socket, leaf, clientCa);
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
  clientCa: string | Buffer,
): CertificateFault | undefined {
  if (socket.authorized) return undefined;
  // Typed as an error, it is the code as a text.
  const fault = certificateFaultOf(String(socket.authorizationError)) ?? 'other';
  return fault === 'wrong-purpose' && isServerOf(leaf, clientCa) ? undefined : fault;
}

/** id-kp-serverAuth; what Node calls `keyUsage` is the extended one. */
const serverAuth = '1.3.6.1.5.5.7.3.1';

/**
 * Servers that connect to us show certificates for servers, some for nothing else (RFC 5924 asks for
 * neither purpose). OpenSSL reports the last fault only, and signatures, dates and name constraints come
 * after the purpose: those are good. What it found of the chain before is lost, so that this counts only
 * where the issuer itself is among the authorities, which OpenSSL looks at first. No chain is built here.
 */
function isServerOf(leaf: X509Certificate, clientCa: string | Buffer): boolean {
  if (!leaf.keyUsage?.includes(serverAuth)) return false;
  return certificatesIn(clientCa).some(
    (each) => each.ca && leaf.checkIssued(each) && leaf.verify(each.publicKey),
  );
}

function certificatesIn(pem: string | Buffer): X509Certificate[] {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}
