import { createHmac, timingSafeEqual } from 'node:crypto';

/** What nonces are made and checked with. */
export interface NonceKey {
  /** At least 32 unpredictable bytes, the same for all who check each other's nonces. */
  readonly secret: Buffer;
  /** How long a nonce can be used, in ms. */
  readonly lifetime: number;
}

const timeBytes = 6;
const saltBytes = 8;
const macBytes = 16;

/**
 * A nonce that needs no memory to be recognized: time, salt and an HMAC of both, in base64url. `now` is
 * ms since the epoch, `salt` 8 random bytes.
 */
export function createNonce(key: NonceKey, now: number, salt: Buffer): string {
  const head = Buffer.alloc(timeBytes + saltBytes);
  head.writeUIntBE(now, 0, timeBytes);
  salt.copy(head, timeBytes);
  return Buffer.concat([head, macOf(key, head)]).toString('base64url');
}

/** `forged` when it is none of ours, `stale` when it is too old (or from the future, after a clock step). */
export function checkNonce(
  key: NonceKey,
  nonce: string,
  now: number,
): 'valid' | 'stale' | 'forged' {
  const bytes = Buffer.from(nonce, 'base64url');
  const head = bytes.subarray(0, timeBytes + saltBytes);
  const mac = bytes.subarray(timeBytes + saltBytes);
  // The text is compared as well, for base64 has several spellings of the same bytes.
  if (mac.length !== macBytes || bytes.toString('base64url') !== nonce) return 'forged';
  if (!timingSafeEqual(mac, macOf(key, head))) return 'forged';
  const age = now - head.readUIntBE(0, timeBytes);
  return age >= -key.lifetime && age <= key.lifetime ? 'valid' : 'stale';
}

function macOf({ secret }: NonceKey, head: Buffer): Buffer {
  return createHmac('sha256', secret).update(head).digest().subarray(0, macBytes);
}
