import { systemCodeOf } from './transport-error.ts';

/** What is wrong with a certificate, as counters and the log name it. */
export type CertificateFault =
  | 'missing'
  | 'expired'
  | 'not-yet-valid'
  | 'self-signed'
  | 'untrusted'
  | 'wrong-name'
  | 'wrong-purpose'
  | 'other';

const faults: Readonly<Record<string, CertificateFault>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  INVALID_PURPOSE: 'wrong-purpose',
};

/** Codes of OpenSSL's verification and of Node that are no fault of a certificate's kind above. */
const others = /^(CERT_|CRL_|INVALID_|UNABLE_TO_|ERROR_IN_CERT|PATH_LENGTH|HOSTNAME_)/;

/** What an error, or its code, says of the peer's certificate; undefined where it is about another thing. */
export function certificateFaultOf(error: unknown): CertificateFault | undefined {
  const code = typeof error === 'string' ? error : systemCodeOf(error);
  return faults[code] ?? (others.test(code) ? 'other' : undefined);
}
