import { expect, test } from 'vitest';
import { header } from './headers.ts';
import { defaultLimits } from './limits.ts';
import { parseMessage } from './parse.ts';
import { errorResponse } from './parse-error.ts';
import { serialize } from './serialize.ts';

const lines = [
  'OPTIONS sip:a@b SIP/2.0',
  'Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa',
  'From: <sip:c@d>;tag=1',
  'To: <sip:a@b>',
  'Call-ID: x',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 70',
];

/** The message above, each line that starts like a given one replaced; unknown ones are added. */
function text(...changes: string[]): string {
  const all = [...lines];
  for (const change of changes) {
    const name = change.split(/[: ]/)[0] ?? '';
    const at = all.findIndex((line) => line.startsWith(name));
    all.splice(at < 0 ? all.length : at, at < 0 ? 0 : 1, change);
  }
  return `${all.join('\r\n')}\r\n\r\n`;
}

const folds = '\r\n yyyyyyyy'.repeat(8);

const parse = (given: string, encoding: BufferEncoding = 'utf8') =>
  parseMessage(Buffer.from(given, encoding));

test.each([
  ['no head', ''],
  ['only line ends', '\r\n\r\n'],
  ['no end of the headers', text().slice(0, -2)],
  ['a header without colon', text('Junk')],
  ['a header name with a space', text('X Y: z')],
  ['a folded first header', `OPTIONS sip:a@b SIP/2.0\r\n Via: x\r\n\r\n`],
  ['a lone CR', text('X: a\rb')],
  ['a NUL', text('X: a\0b')],
  ['a NUL behind an escaped backslash', text('X: "\\\\\0"')],
  ['two Content-Length, even if equal', text('Content-Length: 0\r\nl: 0')],
  ['a Content-Length with a sign', text('Content-Length: +0')],
  ['a body that is too short', text('Content-Length: 1')],
  ['no Call-ID', text('Call-ID: x').replace('Call-ID: x\r\n', '')],
  ['an empty Call-ID', text('Call-ID:')],
  ['two To', text('To: <sip:a@b>\r\nt: <sip:a@b>')],
  ['two Content-Type', text('Content-Type: a/b\r\nc: a/b')],
  ['an unreadable second Via', text('Via: SIP/2.0/UDP a;branch=z9hG4bKa, junk')],
  ['an empty Via', text('Via: ,')],
  ['an unreadable Route', text('Route: <sip:a@b')],
  ['Max-Forwards beyond 255', text('Max-Forwards: 256')],
  ['a Request-URI in brackets', text('OPTIONS <sip:a@b> SIP/2.0')],
  ['a method that is no token', text('OPT(IONS sip:a@b SIP/2.0')],
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).toString('latin1')],
])('%s is refused', (_name, given) => {
  expect(parse(given).kind).toBe('error');
});

test.each([
  ['the space after the name', text('Subject : x')],
  ['LF as line end', text().replaceAll('\r\n', '\n')],
  ['empty lines in front', `\r\n\r\n${text()}`],
  ['a NUL as quoted pair', text('X: "\\\0"')],
  ['a Contact of *', text('Contact: *')],
  [
    'no Max-Forwards, as RFC 2543 has it',
    text('Max-Forwards: 70').replace('Max-Forwards: 70\r\n', ''),
  ],
  ['IPv6', text('OPTIONS sip:[::1] SIP/2.0', 'Via: SIP/2.0/UDP [::1];branch=z9hG4bKa')],
])('%s is accepted', (_name, given) => {
  expect(parse(given).kind).toBe('request');
});

test.each([
  ['an unreadable To', text('To: "'), 400],
  ['the same in an ACK', text('To: "').replaceAll('OPTIONS', 'ACK'), undefined],
  ['the same in a response', text('To: "', 'OPTIONS SIP/2.0 200 OK').slice(8), undefined],
  ['no Via', text().replace(/Via.*\r\n/, ''), undefined],
])('%s is answered with %s', (_name, given, status) => {
  const message = parse(given);
  expect(message.kind === 'error' && errorResponse(message, 'new')?.status).toBe(status);
});

test('the answer to a refused request names the fault and repeats what identifies it', () => {
  const message = parse(text('Max-Forwards: x', 'Subject: private'));
  const response = message.kind === 'error' ? errorResponse(message, 'new') : undefined;
  expect(response && serialize(response).toString()).toBe(
    [
      'SIP/2.0 400 Bad Request (malformed max-forwards header)',
      ...lines.slice(1, 3),
      'To: <sip:a@b>;tag=new',
      ...lines.slice(4, 6),
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
});

test('Latin-1 is read as such and written as UTF-8', () => {
  const message = parse(text('Subject: Müller'), 'latin1');
  expect(message.kind !== 'error' && header(message, 'subject')).toBe('Müller');
  expect(message.kind !== 'error' && serialize(message).includes('Subject: Müller')).toBe(true);
});

test('without Content-Length the body is the rest of the datagram', () => {
  expect(parse(`${text()}rest`)).toMatchObject({ body: Buffer.from('rest') });
});

test.each([
  { what: 'head', limit: { headBytes: 100 }, given: text(), status: 513 },
  { what: 'endless head', limit: { headBytes: 150 }, given: text().slice(0, -2), status: 513 },
  { what: 'number of headers', limit: { headerCount: 6 }, given: text('X: x'), status: 513 },
  { what: 'line', limit: { lineBytes: 60 }, given: text(`X: ${'x'.repeat(60)}`), status: 513 },
  { what: 'folded line', limit: { lineBytes: 60 }, given: text(`X: x${folds}`), status: 513 },
  { what: 'body', limit: { bodyBytes: 3 }, given: `${text()}rest`, status: 413 },
  { what: 'announced body', limit: { bodyBytes: 3 }, given: text('l: 99'), status: 413 },
])('a $what beyond its limit is refused', ({ limit, given, status }) => {
  const message = parseMessage(Buffer.from(given), { ...defaultLimits, ...limit });
  expect(message).toMatchObject({ kind: 'error', status });
});

test('64 KiB of folded lines, quotes or white space take no longer than other bytes', () => {
  for (const filler of ['\r\n x', '"', '\\"', ' ', '\t,', '<', ';', '%41', '\\']) {
    const value = filler.repeat(Math.floor(60_000 / filler.length));
    const given = Buffer.from(text(`Contact: ${value}x`));
    const limits = { ...defaultLimits, lineBytes: 65_536 };
    expect(['error', 'request']).toContain(parseMessage(given, limits).kind);
  }
}, 2000);
