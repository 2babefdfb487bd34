/** A key press carried by SIP INFO; `duration` in ms. */
export interface InfoDigit {
  readonly digit: string;
  readonly duration: number;
}

/** The body of an INFO for a key, with its media type. */
export const infoDigitType = 'application/dtmf-relay';

export function infoDigitBody({ digit, duration }: InfoDigit): string {
  return `Signal=${digit}\r\nDuration=${duration}\r\n`;
}

/** What gateways mean that send no duration. */
const usualDuration = 160;
const longestDuration = 10_000;

/** Codes of `application/dtmf` that stand for a key by number (as RFC 4733 events do). */
const numbered = new Map([
  ['10', '*'],
  ['11', '#'],
  ['12', 'A'],
  ['13', 'B'],
  ['14', 'C'],
  ['15', 'D'],
]);

/** The media type of a Content-Type value, lower case, without parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/**
 * The key in the body of an INFO: `application/dtmf-relay` (`Signal=5`, `Duration=160`) or
 * `application/dtmf` (the key alone). Undefined where there is none.
 */
export function parseInfoDigit(
  contentType: string | undefined,
  body: string,
): InfoDigit | undefined {
  const type = mediaTypeOf(contentType);
  if (type === 'application/dtmf') return digitOf(body.trim(), undefined);
  if (type !== infoDigitType) return undefined;
  const signal = /^\s*signal\s*[=:]\s*(\S+)/im.exec(body)?.[1];
  if (signal === undefined) return undefined;
  return digitOf(signal, /^\s*duration\s*[=:]\s*(\d{1,6})/im.exec(body)?.[1]);
}

function digitOf(text: string, duration: string | undefined): InfoDigit | undefined {
  const digit = numbered.get(text) ?? text.toUpperCase();
  if (!/^[0-9*#A-D]$/.test(digit)) return undefined;
  const length = duration === undefined ? usualDuration : Number(duration);
  return { digit, duration: Math.min(Math.max(length, 1), longestDuration) };
}
