import { createHash } from 'node:crypto';

/** Algorithms of RFC 7616 and RFC 8760, strongest first. */
export const algorithms = ['SHA-512-256', 'SHA-256', 'MD5'] as const;

export type Algorithm = (typeof algorithms)[number];

const hashNames: Record<Algorithm, string> = {
  'SHA-512-256': 'sha512-256',
  'SHA-256': 'sha256',
  MD5: 'md5',
};

/** What a response is computed from (RFC 7616 §3.4). */
export interface DigestInput {
  readonly algorithm: Algorithm;
  /** The `-sess` variant: the nonces are part of the secret (§3.4.2). */
  readonly isSession?: boolean;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Absent where the challenge named no qop (RFC 2069). */
  readonly qop?: {
    readonly cnonce: string;
    /** As written: 8 hexadecimal digits. */
    readonly nc: string;
  };
}

/** The `response` parameter: lower-case hexadecimal. */
export function digestOf(input: DigestInput): string {
  const hash = (text: string): string =>
    createHash(hashNames[input.algorithm]).update(text, 'utf8').digest('hex');
  const { nonce, qop } = input;
  const secret = hash(`${input.username}:${input.realm}:${input.password}`);
  const a1 = input.isSession ? hash(`${secret}:${nonce}:${qop?.cnonce ?? ''}`) : secret;
  const a2 = hash(`${input.method}:${input.uri}`);
  return qop
    ? hash(`${a1}:${nonce}:${qop.nc}:${qop.cnonce}:auth:${a2}`)
    : hash(`${a1}:${nonce}:${a2}`);
}

/** Reads an `algorithm` parameter; MD5 where it is absent, undefined where it is not supported. */
export function algorithmOf(
  text: string | undefined,
): { algorithm: Algorithm; isSession: boolean } | undefined {
  const name = (text ?? 'MD5').toUpperCase();
  const isSession = name.endsWith('-SESS');
  const plain = isSession ? name.slice(0, -'-SESS'.length) : name;
  const algorithm = algorithms.find((each) => each === plain);
  return algorithm && { algorithm, isSession };
}
