import { parseAuth } from './auth-value.ts';
import { type Algorithm, algorithmOf } from './digest.ts';

/** Digest credentials of a client that uses qop=auth (RFC 7616 §3.4). */
export interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  readonly cnonce: string;
  /** As written: 8 hexadecimal digits. */
  readonly nc: string;
}

/**
 * Parses Authorization or Proxy-Authorization; undefined when malformed, of another scheme, or without
 * qop=auth, which every challenge of ours asks for.
 */
export function parseCredentials(text: string): Credentials | undefined {
  const value = parseAuth(text);
  if (value?.scheme.toLowerCase() !== 'digest') return undefined;
  const of = (name: string): string => value.params.get(name) ?? '';
  const algorithm = algorithmOf(value.params.get('algorithm'));
  const isComplete =
    /^[0-9a-f]{8}$/i.test(of('nc')) &&
    /^[0-9a-f]{32,64}$/i.test(of('response')) &&
    of('qop').toLowerCase() === 'auth' &&
    ['username', 'nonce', 'uri', 'cnonce'].every((name) => of(name) !== '');
  if (!isComplete || !algorithm || algorithm.isSession) return undefined;
  return {
    username: of('username'),
    realm: of('realm'),
    nonce: of('nonce'),
    uri: of('uri'),
    response: of('response').toLowerCase(),
    algorithm: algorithm.algorithm,
    cnonce: of('cnonce'),
    nc: of('nc').toLowerCase(),
  };
}
