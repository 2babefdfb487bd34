import { parseCSeq } from './cseq.ts';
import { digitsOf } from './grammar.ts';
import { canonicalName, headers as valuesOf } from './headers.ts';
import type { SipMessage } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { parseVia } from './via.ts';

/** Headers of which a message has exactly one (§8.1.1, §20). */
const single = ['from', 'to', 'call-id', 'cseq'] as const;

/** Headers of which a message has one at most, as far as the server reads them. */
const atMostOne = [
  'max-forwards',
  'content-type',
  'expires',
  'min-se',
  'rack',
  'rseq',
  'session-expires',
];

/** Checks the syntax of one value. */
const syntax: Readonly<Record<string, (value: string) => boolean>> = {
  via: (value) => parseVia(value) !== undefined,
  from: (value) => parseNameAddr(value) !== undefined,
  to: (value) => parseNameAddr(value) !== undefined,
  // §25.1 callid is word ["@" word]; read more widely, but never as something with spaces.
  'call-id': (value) => /^\S+$/.test(value),
  cseq: (value) => parseCSeq(value) !== undefined,
  'max-forwards': (value) => digitsOf(value, 255) !== undefined,
  contact: (value) => value === '*' || parseNameAddr(value) !== undefined,
  route: (value) => parseNameAddr(value) !== undefined,
  'record-route': (value) => parseNameAddr(value) !== undefined,
};

/**
 * What is wrong with a message that has the right shape: missing or repeated headers, malformed
 * values of those that the server itself reads, a CSeq that does not fit. Undefined when it is sound.
 */
export function problemOf(message: SipMessage): string | undefined {
  return problemOfCounts(message) ?? problemOfValues(message) ?? problemOfCSeq(message);
}

function problemOfCounts(message: SipMessage): string | undefined {
  const count = new Map<string, number>();
  for (const { name } of message.headers) {
    const key = canonicalName(name);
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  for (const name of single) {
    const lines = count.get(name) ?? 0;
    if (lines !== 1) return `${lines === 0 ? 'no' : 'more than one'} ${name} header`;
  }
  const repeated = atMostOne.find((name) => (count.get(name) ?? 0) > 1);
  if (repeated !== undefined) return `more than one ${repeated} header`;
  return count.has('via') ? undefined : 'no via header';
}

function problemOfValues(message: SipMessage): string | undefined {
  for (const [name, isSound] of Object.entries(syntax)) {
    const values = valuesOf(message, name);
    if (!values.every(isSound) || (name === 'via' && values.length === 0)) {
      return `malformed ${name} header`;
    }
  }
  return undefined;
}

function problemOfCSeq(message: SipMessage): string | undefined {
  if (message.kind === 'response') return undefined;
  const [value = ''] = valuesOf(message, 'cseq');
  return parseCSeq(value)?.method === message.method ? undefined : 'CSeq of another method';
}
