import { expect, test } from 'vitest';
import { parseCommand } from './command.ts';

function parse(text: string) {
  return parseCommand(Buffer.from(text, 'utf8'));
}

test.each([
  ['m|authenticate|cymru|', { kind: 'authenticate', secret: 'cymru', tags: [] }],
  ['m|authenticate|cymru|a,b', { kind: 'authenticate', secret: 'cymru', tags: ['a', 'b'] }],
  ['m|ping', { kind: 'ping' }],
  ['m|route|invite', { kind: 'route', verb: 'invite' }],
  ['m|remove_route|invite', { kind: 'remove-route', verb: 'invite' }],
])('%s', (text, order) => {
  expect(parse(text)).toEqual({ id: 'm', order });
});

test('a response is for a transaction', () => {
  const order = {
    kind: 'respond',
    transaction: 'T1',
    draft: {
      status: 200,
      reason: 'OK',
      headers: [
        { name: 'Call-ID', value: 'a@b' },
        { name: 'X-foo', value: 'é: 1' },
        { name: 'Content-Type', value: 'application/sdp' },
      ],
      body: Buffer.from('v=0\r\n\r\nrest'),
    },
  };
  const text =
    'm|sip|T1|\r\nSIP/2.0 200 OK\r\ncall-id: a@b\r\nX-foo: é: 1\r\nVia: x\r\nno header\r\nbad name: y\r\nContent-Length: 2\r\n\r\nv=0\r\n\r\nrest';
  expect(parse(text)).toEqual({ id: 'm', order });
});

test('a request in a dialog names the dialog, a transaction beside it does not count', () => {
  const text = 'm|sip|T9|c@d;from-tag=1\r\nBYE sip:placeholder SIP/2.0\r\n\r\n';
  expect(parse(text).order).toEqual({
    kind: 'request-in-dialog',
    dialog: 'c@d;from-tag=1',
    draft: { method: 'BYE', uri: 'sip:placeholder', headers: [], body: Buffer.alloc(0) },
  });
});

test('a CANCEL names its INVITE', () => {
  const text = 'm|sip|T1|\r\nCANCEL sip:a@b SIP/2.0\r\nreason: SIP;cause=200\r\n\r\n';
  expect(parse(text).order).toEqual({
    kind: 'cancel',
    transaction: 'T1',
    headers: [{ name: 'Reason', value: 'SIP;cause=200' }],
  });
});

test.each([
  ['m|sip||\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n', {}],
  ['m|sip||\r\nOPTIONS sip:a@b SIP/2.0', {}],
  [
    'm|sip|||sip:1.2.3.4;transport=tcp\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n',
    { route: 'sip:1.2.3.4;transport=tcp' },
  ],
])('a request outside of a dialog: %j', (text, route) => {
  const draft = { method: 'OPTIONS', uri: 'sip:a@b', headers: [], body: Buffer.alloc(0) };
  expect(parse(text).order).toEqual({ kind: 'request', draft, ...route });
});

test.each([
  ['hello', 'Invalid message format'],
  ['m|dance', 'Unknown message type'],
  ['m|PING', 'Unknown message type'],
  ['m|sip|T1', 'Invalid message format'],
  ['m|sip||\r\nSIP/2.0 200 OK\r\n\r\n', 'transaction id missing'],
  ['m|proxy|T1||||serial', 'Invalid proxy request: not enough information provided'],
  ['m|proxy|T1||||serial|||', 'Invalid proxy request: not enough information provided'],
])('%j is refused for good', (text, reason) => {
  expect(parse(text).order).toEqual({ kind: 'refused', verdict: 'no', reason });
});

test.each([
  ['m|sip|T1|\r\nSIP/2.0 OK\r\n\r\n', 'Unknown server error sending response'],
  ['m|sip||\r\nOPTIONS\r\n\r\n', 'invalid request-uri: OPTIONS'],
  ['m|sip||\r\nMESSAGE sip:a@b SIP/2.0\r\n\r\nhello', 'missing content-type'],
  ['m|sip||d\r\nMESSAGE sip:a@b SIP/2.0\r\n\r\nhello', 'Server error: missing content-type'],
  [
    'm|sip||d\r\nrubbish\r\n\r\n',
    'Server error: invalid or missing method supplied on start line: rubbish',
  ],
  [
    'm|sip|T1|\r\nBYE sip:a@b SIP/2.0\r\n\r\n',
    'Server error: only CANCEL may be sent for a transaction id',
  ],
])('%j is refused, the connection stays', (text, reason) => {
  expect(parse(text).order).toEqual({ kind: 'refused', verdict: 'nok', reason });
});

test('a proxy order has its flags by exact word', () => {
  const text =
    'm|proxy|T1|remainInDialog|fullResponse|followRedirects|simultaneous|2s||sip:a@1.1.1.1|sip:b@2.2.2.2\r\nINVITE sip:a@1.1.1.1 SIP/2.0\r\nX-Foo: bar\r\n\r\n';
  expect(parse(text).order).toEqual({
    kind: 'proxy',
    transaction: 'T1',
    targets: ['sip:a@1.1.1.1', 'sip:b@2.2.2.2'],
    headers: [{ name: 'X-Foo', value: 'bar' }],
    options: {
      remainInDialog: true,
      fullResponse: true,
      followRedirects: true,
      isSimultaneous: true,
      provisionalTimeout: 2000,
    },
  });
});

test.each([
  ['1500ms', 1500],
  ['3s', 3000],
  ['', undefined],
  ['3', undefined],
])('a timeout of %j is %j', (text, want) => {
  const order = parse(
    `m|proxy|T1||||serial|${text}||sip:a@b\r\nINVITE sip:a SIP/2.0\r\n\r\n`,
  ).order;
  expect(order.kind === 'proxy' && order.options).toEqual({
    remainInDialog: false,
    fullResponse: false,
    followRedirects: false,
    isSimultaneous: false,
    ...(want !== undefined && { provisionalTimeout: want }),
  });
});

test('any bytes are read without a throw', () => {
  let seed = 7;
  const next = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
  const parts = [
    'm',
    '|',
    'sip',
    'proxy',
    '\r\n',
    'SIP/2.0',
    ' ',
    'INVITE',
    ':',
    'sip:a',
    '\r\n\r\n',
    'é',
    '\0',
  ];
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: next() % 20 }, () => parts[next() % parts.length]).join('');
    expect(() => parse(text)).not.toThrow();
  }
});
