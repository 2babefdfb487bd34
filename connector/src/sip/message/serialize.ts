import { canonicalName } from './headers.ts';
import type { Header, SipMessage } from './message.ts';

/**
 * The message as bytes, headers in their order and spelling. Content-Length is set to what the body
 * has (in its place, else last). Line breaks inside values become spaces, so nothing can be smuggled in.
 */
export function serialize(message: SipMessage): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = [start, ...linesOf(message.headers, message.body.length)].map(oneLine);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8');
  return message.body.length === 0 ? head : Buffer.concat([head, message.body]);
}

function linesOf(headers: readonly Header[], bodyBytes: number): string[] {
  const lines: string[] = [];
  let hasLength = false;
  for (const { name, value } of headers) {
    if (canonicalName(name) !== 'content-length') {
      lines.push(`${name}: ${value}`);
    } else if (!hasLength) {
      lines.push(`${name}: ${bodyBytes}`);
      hasLength = true;
    }
  }
  if (!hasLength) lines.push(`Content-Length: ${bodyBytes}`);
  return lines;
}

function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]+[ \t]*/g, ' ') : text;
}
