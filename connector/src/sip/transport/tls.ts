import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  type PeerCertificate,
  type TlsOptions as ServerOptions,
} from 'node:tls';
import { alternativeNamesOf } from './alternative-names.ts';

/** Our certificate, and whom we trust. PEM texts. */
export interface TlsSettings {
  readonly key: string | Buffer;
  /** The certificate with its chain. Outbound it is our client certificate. */
  readonly cert: string | Buffer;
  /** Authorities to trust instead of those that come with Node; one text may hold several. */
  readonly ca?: string | Buffer;
  /** OpenSSL cipher list; Node's where absent. */
  readonly ciphers?: string;
  /** Peers that connect to us are asked for a certificate of these authorities. */
  readonly clientCa?: string | Buffer;
  /** Those without a good one are refused; without it they are only not known by name. */
  readonly requiresClientCertificate?: boolean;
}

/** What is different for some of the peers that we connect to. */
export interface PeerTls {
  /** Host names as URIs say them; `*.example.com` stands for one label in front. */
  readonly hosts: readonly string[];
  /** Our client certificate for them. */
  readonly identity?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  readonly ca?: string | Buffer;
  /** Asked for (SNI) and to be proven instead of the URI's host. */
  readonly serverName?: string;
}

/** All that TLS connections are made with, replaced as a whole. */
export interface TlsProfiles {
  readonly own?: TlsSettings;
  readonly peers: readonly PeerTls[];
}

const minVersion = 'TLSv1.2';

export function serverOptions(tls: TlsSettings): ServerOptions {
  const { key, cert, clientCa } = tls;
  const base = { key, cert, minVersion, ...ciphersOf(tls) } as const;
  if (clientCa === undefined) return base;
  return {
    ...base,
    ca: clientCa,
    requestCert: true,
    // `peer-certificate.ts` decides, which knows what is wrong. A resumed session would show no chain.
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Options to connect to a peer that must prove to be `name` (a host name or an address). */
export function clientOptions({ own, peers }: TlsProfiles, name: string): ConnectionOptions {
  const peer = peers.find(({ hosts }) => hosts.some((host) => isMatch(host, name)));
  const identity = peer?.identity ?? own;
  const ca = peer?.ca ?? own?.ca;
  const proven = peer?.serverName ?? name;
  return {
    minVersion,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => identityErrorOf(proven, certificate),
    // RFC 6066 §3: an address is no server name.
    ...(isIP(proven) === 0 && { servername: proven }),
    ...(identity && { key: identity.key, cert: identity.cert }),
    ...(own && ciphersOf(own)),
    ...(ca !== undefined && { ca }),
  };
}

function isMatch(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), name.toLowerCase()];
  if (!wanted.startsWith('*.')) return wanted === given;
  const dot = given.indexOf('.');
  return dot > 0 && given.slice(dot) === wanted.slice(1);
}

function ciphersOf(tls: TlsSettings): { ciphers?: string } {
  return tls.ciphers === undefined ? {} : { ciphers: tls.ciphers };
}

/** RFC 5922 §7.1: a `sip:` URI among the subject alternative names counts as well as DNS and address. */
function identityErrorOf(name: string, certificate: PeerCertificate): Error | undefined {
  const names = alternativeNamesOf(certificate.subjectaltname);
  if (names.includes(`sip:${name.toLowerCase()}`)) return undefined;
  return checkServerIdentity(name, certificate);
}
