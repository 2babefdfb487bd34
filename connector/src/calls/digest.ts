import { createHash } from 'node:crypto';

/** Answers to digest challenges (RFC 7616, RFC 8760 for SIP): MD5 and SHA-256, with and without qop=auth. */

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Credentials for a realm; undefined where there are none. */
export type CredentialsOf = (realm: string) => Credentials | undefined;

export interface DigestRequest {
  readonly credentials: Credentials;
  readonly method: string;
  readonly uri: string;
  readonly clientNonce: string;
}

/** A challenge that can be answered. */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** The credentials were right, but their nonce too old (RFC 7616 §3.3). */
  readonly isStale: boolean;
  readonly parameters: ReadonlyMap<string, string>;
  readonly algorithm: string;
  readonly hash: 'md5' | 'sha256';
}

const hashes = new Map<string, Challenge['hash']>([
  ['md5', 'md5'],
  ['md5-sess', 'md5'],
  ['sha-256', 'sha256'],
  ['sha-256-sess', 'sha256'],
]);

/** Value for Authorization. */
export function digestAnswer(challenge: Challenge, request: DigestRequest): string {
  const { parameters, algorithm, hash, realm, nonce } = challenge;
  const { credentials, method, uri, clientNonce } = request;
  const digest = (...parts: string[]) => createHash(hash).update(parts.join(':')).digest('hex');
  const hasQop = parameters.has('qop');
  const secret = digest(credentials.username, realm, credentials.password);
  const ha1 = /-sess$/i.test(algorithm) ? digest(secret, nonce, clientNonce) : secret;
  const ha2 = digest(method, uri);
  // A challenge is answered once, so that the nonce count never passes 1.
  const count = '00000001';
  const response = hasQop
    ? digest(ha1, nonce, count, clientNonce, 'auth', ha2)
    : digest(ha1, nonce, ha2);
  const opaque = parameters.get('opaque');
  return [
    `Digest username=${quoted(credentials.username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(hasQop ? ['qop=auth', `nc=${count}`, `cnonce=${quoted(clientNonce)}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ');
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (letter) => `\\${letter}`)}"`;
}

/** Those of a header that can be answered, in the order of the server's preference (RFC 8760 §2.4). */
export function challengesOf(header: string): Challenge[] {
  return header
    .split(/(?:^|,)\s*digest\s+/i)
    .slice(1)
    .flatMap((text) => {
      const parameters = parametersOf(text);
      const algorithm = parameters.get('algorithm') ?? 'MD5';
      const hash = hashes.get(algorithm.toLowerCase());
      const qop = parameters.get('qop');
      const knowsQop = qop === undefined || qop.split(',').some((word) => word.trim() === 'auth');
      const nonce = parameters.get('nonce');
      if (!hash || !knowsQop || nonce === undefined) return [];
      const realm = parameters.get('realm') ?? '';
      const isStale = parameters.get('stale')?.toLowerCase() === 'true';
      return [{ realm, nonce, isStale, parameters, algorithm, hash }];
    });
}

function parametersOf(text: string): Map<string, string> {
  const pattern = /([a-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi;
  return new Map(
    [...text.matchAll(pattern)].map(([, name = '', inQuotes, bare]) => [
      name.toLowerCase(),
      inQuotes?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '',
    ]),
  );
}
