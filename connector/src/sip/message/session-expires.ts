import { digitsOf } from './grammar.ts';
import { param, parseParams } from './params.ts';

/** Session-Expires (RFC 4028 §4). */
export interface SessionExpires {
  readonly intervalSeconds: number;
  readonly refresher?: 'uac' | 'uas';
}

const largestDelta = 2 ** 32 - 1;

export function parseSessionExpires(text: string): SessionExpires | undefined {
  const found = /^(\d+)\s*((?:;[\s\S]*)?)$/.exec(text.trim());
  const intervalSeconds = digitsOf(found?.[1] ?? '', largestDelta);
  const params = parseParams(found?.[2] ?? '');
  if (intervalSeconds === undefined || !params) return undefined;
  const refresher = param(params, 'refresher')?.toLowerCase();
  if (refresher === 'uac' || refresher === 'uas') return { intervalSeconds, refresher };
  return { intervalSeconds };
}

export function formatSessionExpires(value: SessionExpires): string {
  const refresher = value.refresher === undefined ? '' : `;refresher=${value.refresher}`;
  return `${value.intervalSeconds}${refresher}`;
}

/** Seconds of Min-SE, Expires, Retry-After and the like; parameters and comments are passed over. */
export function parseDeltaSeconds(text: string): number | undefined {
  return digitsOf(/^(\d+)\s*(?:[;(]|$)/.exec(text.trim())?.[1] ?? '', largestDelta);
}
