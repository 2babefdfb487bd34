import { digitsOf, isToken } from './grammar.ts';

/** §8.1.1.5: a sequence number is less than 2^31. */
const largestSequence = 2 ** 31 - 1;

export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

export function parseCSeq(text: string): CSeq | undefined {
  const [sequenceText = '', method = '', ...rest] = text.trim().split(/\s+/);
  const sequence = digitsOf(sequenceText, largestSequence);
  if (sequence === undefined || rest.length > 0 || !isToken(method)) return undefined;
  return { sequence, method };
}

export function formatCSeq(value: CSeq): string {
  return `${value.sequence} ${value.method}`;
}

/** RAck of a PRACK (RFC 3262 §7.2): the provisional's RSeq and CSeq. */
export interface RAck extends CSeq {
  readonly response: number;
}

export function parseRAck(text: string): RAck | undefined {
  const found = /^(\d+)\s+(\S[\s\S]*)$/.exec(text.trim());
  const response = digitsOf(found?.[1] ?? '', largestSequence);
  const cseq = parseCSeq(found?.[2] ?? '');
  return response === undefined || !cseq ? undefined : { response, ...cseq };
}

export function formatRAck(value: RAck): string {
  return `${value.response} ${formatCSeq(value)}`;
}

/** RSeq of a reliable provisional (RFC 3262 §7.1). */
export function parseRSeq(text: string): number | undefined {
  return digitsOf(text.trim(), 2 ** 32 - 1);
}
