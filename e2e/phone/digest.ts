import { createHash } from 'node:crypto';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What is asked for, and by which request. */
export interface Challenge {
  /** Value of WWW-Authenticate or Proxy-Authenticate. */
  readonly value: string;
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
}

/** Authorization for a digest challenge (RFC 8760; MD5, SHA-256, qop auth or none). */
export function authorize({ user, password }: Credentials, challenge: Challenge): string {
  const { value, method, uri, cnonce } = challenge;
  const ask = (name: string) => parameter(value, name);
  const algorithm = ask('algorithm') || 'MD5';
  const hash = (...parts: string[]) =>
    createHash(/^sha-256/i.test(algorithm) ? 'sha256' : 'md5')
      .update(parts.join(':'))
      .digest('hex');
  const [realm, nonce, opaque] = [ask('realm'), ask('nonce'), ask('opaque')];
  const hasQop = ask('qop')
    .split(',')
    .some((one) => one.trim() === 'auth');
  const count = '00000001';
  const secret = hash(user, realm, password);
  const request = hash(method, uri);
  const response = hasQop
    ? hash(secret, nonce, count, cnonce, 'auth', request)
    : hash(secret, nonce, request);
  return [
    `Digest username="${user}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(hasQop ? [`qop=auth`, `nc=${count}`, `cnonce="${cnonce}"`] : []),
    ...(opaque ? [`opaque="${opaque}"`] : []),
  ].join(', ');
}

function parameter(value: string, name: string): string {
  const [, quoted, token] =
    new RegExp(`[\\s,]${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,]+))`, 'i').exec(value) ?? [];
  return quoted ?? token ?? '';
}
