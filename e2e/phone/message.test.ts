import { expect, test } from 'vitest';
import {
  formatMessage,
  header,
  headers,
  methodOf,
  parameterOf,
  parseMessage,
  statusOf,
  targetOf,
  uriOf,
} from './message.ts';

const invite = Buffer.from(
  [
    'INVITE sip:bob@192.0.2.4:5070 SIP/2.0',
    'v: SIP/2.0/UDP a;branch=z9hG4bK1',
    'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
    'Subject: first',
    '  and second',
    'f: "A <b>" <sip:alice@example.com;x=1>;tag=t1',
    'CSeq: 7 INVITE',
    '',
    'body\r\n',
  ].join('\r\n'),
);

test('headers are found by long and compact name, folded ones whole', () => {
  const message = parseMessage(invite)!;
  expect(headers(message, 'Via')).toHaveLength(2);
  expect(header(message, 'subject')).toBe('first and second');
  expect(methodOf(message)).toBe('INVITE');
  expect(statusOf(message)).toBe(undefined);
  expect(message.body).toBe('body\r\n');
});

test('a message comes back as it was, with its length', () => {
  const message = parseMessage(invite)!;
  const again = parseMessage(formatMessage(message))!;
  expect(header(again, 'Content-Length')).toBe('6');
  expect(again.headers.slice(0, -1)).toEqual(message.headers);
});

test.each(['', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'INVITE sip:a SIP/2.0\r\nVia: x'])(
  '%j is no message',
  (text) => {
    expect(parseMessage(Buffer.from(text))).toBe(undefined);
  },
);

test('parameters of a header are not those of its URI', () => {
  expect(parameterOf('<sip:a@b;tag=inner>;tag=outer', 'tag')).toBe('outer');
  expect(parameterOf('<sip:a@b;tag=inner>', 'tag')).toBe('');
  expect(uriOf('"A" <sip:a@b;x=1>;tag=t')).toBe('sip:a@b;x=1');
  expect(uriOf('sip:a@b;tag=t')).toBe('sip:a@b');
});

test.each([
  ['sip:bob@192.0.2.4:5070;lr', '192.0.2.4', 5070],
  ['sip:192.0.2.4', '192.0.2.4', 5060],
  ['sips:bob@[2001:db8::1]:5061', '[2001:db8::1]', 5061],
])('%s leads to %s port %d', (uri, host, port) => {
  expect(targetOf(uri)).toEqual({ host, port });
});
