import { expect, test } from 'vitest';
import { serialize } from './serialize.ts';

const request = {
  kind: 'request',
  method: 'INFO',
  uri: 'sip:a@b',
  headers: [
    { name: 'v', value: 'SIP/2.0/UDP c' },
    { name: 'cSeQ', value: '1 INFO' },
  ],
  body: Buffer.from('ü'),
} as const;

test('headers keep order and spelling, the length is counted in bytes and comes last', () => {
  expect(serialize(request).toString()).toBe(
    'INFO sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP c\r\ncSeQ: 1 INFO\r\nContent-Length: 2\r\n\r\nü',
  );
});

test('a length that is there is corrected in its place, a second one left out', () => {
  const lengths = [
    { name: 'l', value: '99' },
    ...request.headers,
    { name: 'Content-Length', value: '7' },
  ];
  expect(serialize({ ...request, headers: lengths }).toString()).toBe(
    'INFO sip:a@b SIP/2.0\r\nl: 2\r\nv: SIP/2.0/UDP c\r\ncSeQ: 1 INFO\r\n\r\nü',
  );
});

test('line breaks in values cannot make headers', () => {
  const response = {
    kind: 'response',
    status: 200,
    reason: 'OK\r\nEvil: 1',
    headers: [{ name: 'X', value: 'a\r\n\r\nEvil: 2\nEvil: 3\rEvil: 4' }],
    body: Buffer.alloc(0),
  } as const;
  expect(serialize(response).toString()).toBe(
    'SIP/2.0 200 OK Evil: 1\r\nX: a Evil: 2 Evil: 3 Evil: 4\r\nContent-Length: 0\r\n\r\n',
  );
});
