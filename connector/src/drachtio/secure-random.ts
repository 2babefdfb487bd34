import { randomFillSync } from 'node:crypto';

const poolWords = 1024;
const wordBytes = 4;

/** Numbers in [0, 1) with 32 random bits that nobody can guess. One system call serves many of them. */
export function createSecureRandom(): () => number {
  const pool = Buffer.alloc(poolWords * wordBytes);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const word = pool.readUInt32LE(at);
    at += wordBytes;
    return word / 2 ** 32;
  };
}
