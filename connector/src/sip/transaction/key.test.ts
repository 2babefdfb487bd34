import { expect, test } from 'vitest';
import type { SipRequest } from '../message/message.ts';
import { clientKeyOf, mergeKey, serverKey, topVia } from './key.ts';

function request(method: string, via: string, { to = '', cseq = 1 } = {}): SipRequest {
  return {
    kind: 'request',
    method,
    uri: 'sip:you@example.com',
    headers: [
      { name: 'v', value: via },
      { name: 'From', value: '<sip:me@example.com>;tag=me' },
      { name: 'To', value: `<sip:you@example.com>${to}` },
      { name: 'Call-ID', value: 'call' },
      { name: 'CSeq', value: `${cseq} ${method}` },
    ],
    body: Buffer.alloc(0),
  };
}

const via = 'SIP/2.0/UDP Host:5060;branch=z9hG4bKa';
const old = 'SIP/2.0/UDP host;branch=1';

test.each([
  {
    name: 'a repetition',
    other: request('INVITE', 'SIP/2.0/UDP host:5060;branch=z9hG4bKa;received=1.2.3.4'),
  },
  { name: 'the ACK of a failure', other: request('ACK', via, { to: ';tag=x' }) },
  { name: 'its CANCEL', other: request('CANCEL', via) },
])('$name finds its INVITE', ({ other }) => {
  expect(serverKey(other, 'INVITE')).toBe(serverKey(request('INVITE', via)));
});

test.each([
  { name: 'another branch', other: request('INVITE', 'SIP/2.0/UDP host:5060;branch=z9hG4bKb') },
  { name: 'another sender', other: request('INVITE', 'SIP/2.0/UDP host:5062;branch=z9hG4bKa') },
  { name: 'another method', other: request('MESSAGE', via) },
])('$name is another transaction', ({ other }) => {
  expect(serverKey(other)).not.toBe(serverKey(request('INVITE', via)));
});

test('without the cookie the fields of RFC 2543 decide', () => {
  const invite = serverKey(request('INVITE', old));
  expect(serverKey(request('ACK', old, { to: ';tag=x' }), 'INVITE')).toBe(invite);
  expect(serverKey(request('INVITE', old, { cseq: 2 }))).not.toBe(invite);
  expect(serverKey(request('INVITE', 'SIP/2.0/UDP other;branch=1'))).not.toBe(invite);
});

test('of several Via values in a line the first counts', () => {
  expect(topVia(request('INVITE', `${via}, SIP/2.0/UDP far;branch=z9hG4bKf`))?.host).toBe('Host');
});

test('a response is matched by branch and CSeq method', () => {
  const { headers } = request('CANCEL', via);
  const response = {
    kind: 'response',
    status: 200,
    reason: '',
    headers,
    body: Buffer.alloc(0),
  } as const;
  expect(clientKeyOf(response)).toBe('z9hG4bKa CANCEL');
});

test('copies over several ways have the same merge key, requests in dialogs have none', () => {
  const one = mergeKey(request('INVITE', via));
  expect(mergeKey(request('INVITE', 'SIP/2.0/UDP far;branch=z9hG4bKf'))).toBe(one);
  expect(mergeKey(request('INVITE', via, { cseq: 2 }))).not.toBe(one);
  expect(mergeKey(request('INVITE', via, { to: ';tag=x' }))).toBeUndefined();
});
