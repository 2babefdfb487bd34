import { createHash, timingSafeEqual } from 'node:crypto';
import type { Problem } from './problem.ts';

/** Decides on an Authorization header; undefined lets the request pass. */
export type Gate = (authorization: string | undefined) => Problem | undefined;

/** A gate that one bearer token opens (RFC 6750), whichever it is by then; without a token it is shut. */
export function bearerGate(tokenNow: () => string | undefined): Gate {
  return (authorization) => {
    const token = tokenNow();
    if (token === undefined) return off;
    const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    // Digests are of one length, so the comparison takes the same time whatever was sent.
    return given !== undefined && timingSafeEqual(digest(given), digest(token))
      ? undefined
      : { status: 401, detail: 'a valid bearer token is needed' };
  };
}

const off: Problem = {
  status: 403,
  detail: 'the API is off: set http.tokenEnv or http.tokenFile in the configuration',
};

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
