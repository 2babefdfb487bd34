import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  type PeerCertificate,
  type TlsOptions as ServerOptions,
} from 'node:tls';

/** Our certificate, and whom we trust. PEM texts. */
export interface TlsSettings {
  readonly key: string | Buffer;
  /** The certificate with its chain. Outbound it is our client certificate. */
  readonly cert: string | Buffer;
  /** Authorities to trust instead of those that come with Node; one text may hold several. */
  readonly ca?: string | Buffer;
  /** OpenSSL cipher list; Node's where absent. */
  readonly ciphers?: string;
}

const minVersion = 'TLSv1.2';

export function serverOptions(tls: TlsSettings): ServerOptions {
  return { key: tls.key, cert: tls.cert, minVersion, ...ciphersOf(tls) };
}

/** Options to connect to a peer that must prove to be `name` (a host name or an address). */
export function clientOptions(tls: TlsSettings | undefined, name: string): ConnectionOptions {
  return {
    minVersion,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => identityErrorOf(name, certificate),
    // RFC 6066 §3: an address is no server name.
    ...(isIP(name) === 0 && { servername: name }),
    ...(tls && { key: tls.key, cert: tls.cert, ...ciphersOf(tls) }),
    ...(tls?.ca !== undefined && { ca: tls.ca }),
  };
}

function ciphersOf(tls: TlsSettings): { ciphers?: string } {
  return tls.ciphers === undefined ? {} : { ciphers: tls.ciphers };
}

/** RFC 5922 §7.1: a `sip:` URI among the subject alternative names counts as well as DNS and address. */
function identityErrorOf(name: string, certificate: PeerCertificate): Error | undefined {
  const alternatives = (certificate.subjectaltname ?? '').split(', ');
  if (alternatives.includes(`URI:sip:${name.toLowerCase()}`)) return undefined;
  return checkServerIdentity(name, certificate);
}
