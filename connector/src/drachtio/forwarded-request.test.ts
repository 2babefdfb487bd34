import { expect, test } from 'vitest';
import { header, headers } from '../sip/message/headers.ts';
import type { Header, SipRequest } from '../sip/message/message.ts';
import type { ListenPoint } from '../sip/transport/transport.ts';
import {
  hasRouteMark,
  hopsAfter,
  routeMark,
  withAddedHeaders,
  withHop,
  withRecordRoute,
  withTarget,
} from './forwarded-request.ts';

function request(lines: Header[] = [], over: Partial<SipRequest> = {}): SipRequest {
  return {
    kind: 'request',
    method: 'INVITE',
    uri: 'sip:b@127.0.0.3',
    headers: lines,
    body: Buffer.alloc(0),
    ...over,
  };
}

const udp: ListenPoint = { protocol: 'udp', address: '127.0.0.3', port: 5060 };
const tcp: ListenPoint = { protocol: 'tcp', address: '::1', port: 5070, externalHost: 'gw.test' };

test.each([
  ['70', 69],
  ['1', 0],
  ['0', -1],
  ['nonsense', 69],
  [undefined, 70],
])('of Max-Forwards %j there are %d hops left', (value, want) => {
  const lines = value === undefined ? [] : [{ name: 'Max-Forwards', value }];
  expect(hopsAfter(request(lines))).toBe(want);
});

test('a forwarded request has one hop less', () => {
  expect(header(withHop(request([{ name: 'Max-Forwards', value: '5' }])), 'max-forwards')).toBe(
    '4',
  );
});

test.each([
  ['sip:b@127.0.0.3', 'sip:c@9.9.9.9'],
  ['sip:b@127.0.0.3:5060', 'sip:c@9.9.9.9'],
  ['sip:b@gw.test:5070', 'sip:c@9.9.9.9'],
  ['sip:b@127.0.0.3:5099', 'sip:b@127.0.0.3:5099'],
  ['sip:b@example.com', 'sip:b@example.com'],
  ['tel:+1', 'tel:+1'],
])('the request-URI %s becomes %s', (uri, want) => {
  expect(withTarget(request([], { uri }), 'sip:c@9.9.9.9', [udp, tcp]).uri).toBe(want);
});

test('added headers cannot replace what identifies the request', () => {
  const added = [
    { name: 'X-A', value: '1' },
    { name: 'Call-ID', value: 'x' },
    { name: 't', value: 'x' },
  ];
  expect(withAddedHeaders(request(), added).headers).toEqual([{ name: 'X-A', value: '1' }]);
});

test('Record-Route goes first and names where the request came in', () => {
  const before = { name: 'Record-Route', value: '<sip:p0;lr>' };
  expect(headers(withRecordRoute(request([before]), udp, 'k'), 'record-route')).toEqual([
    '<sip:127.0.0.3:5060;lr;mark=k>',
    '<sip:p0;lr>',
  ]);
  expect(headers(withRecordRoute(request(), tcp, 'k'), 'record-route')).toEqual([
    '<sip:gw.test:5070;transport=tcp;lr;mark=k>',
  ]);
});

test('REGISTER gets a Path', () => {
  const registered = withRecordRoute(request([], { method: 'REGISTER' }), udp, 'k');
  expect(header(registered, 'path')).toBe('<sip:127.0.0.3:5060;lr;mark=k>');
  expect(header(registered, 'require')).toBe('path');
});

test('a Route is ours only for the call it was made for', () => {
  const mark = routeMark('secret', 'call-1');
  const route = header(withRecordRoute(request(), udp, mark), 'record-route') ?? '';
  expect(hasRouteMark(route, mark)).toBe(true);
  expect(hasRouteMark(route, routeMark('secret', 'call-2'))).toBe(false);
  expect(hasRouteMark(route, routeMark('other', 'call-1'))).toBe(false);
  expect(hasRouteMark('<sip:127.0.0.3;lr>', mark)).toBe(false);
  expect(hasRouteMark('nonsense <', mark)).toBe(false);
});
