import { expect, test } from 'vitest';
import { received } from '../../test/calls/fake-signalling.ts';
import { verdictOn } from './in-dialog.ts';

const sdp = { 'content-type': 'application/sdp' };

test.each([
  { name: 'OPTIONS', method: 'OPTIONS', status: 200 },
  { name: 'PRACK', method: 'PRACK', status: 200 },
  { name: 'REFER', method: 'REFER', status: 603 },
  { name: 'SUBSCRIBE', method: 'SUBSCRIBE', status: 405 },
  { name: 'REGISTER', method: 'REGISTER', status: 405 },
  { name: 'an unknown method', method: 'FLY', status: 501 },
  { name: 'a method named like a property', method: 'constructor', status: 501 },
  { name: 'a text', method: 'MESSAGE', headers: { 'content-type': 'text/plain' }, status: 200 },
  { name: 'an image', method: 'MESSAGE', headers: { 'content-type': 'image/png' }, status: 415 },
  { name: 'an empty INFO', method: 'INFO', status: 200 },
  {
    name: 'INFO of an unknown package',
    method: 'INFO',
    headers: { 'info-package': 'x' },
    status: 469,
  },
  {
    name: 'INFO of another type',
    method: 'INFO',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    status: 415,
  },
  {
    name: 'INFO with a key that is none',
    method: 'INFO',
    headers: { 'content-type': 'application/dtmf' },
    body: 'x',
    status: 400,
  },
  { name: 'NOTIFY of presence', method: 'NOTIFY', headers: { event: 'presence' }, status: 489 },
  { name: 'an UPDATE without SDP', method: 'UPDATE', status: 200 },
  {
    name: 'an INVITE with something else',
    method: 'INVITE',
    headers: { 'content-type': 'text/plain' },
    body: 'x',
    status: 415,
  },
  {
    name: 'an INVITE that requires what we lack',
    method: 'INVITE',
    headers: { ...sdp, require: 'timer, precondition' },
    body: 'v=0',
    status: 420,
  },
])('$name is answered $status', ({ method, headers = {}, body = '', status }) => {
  const verdict = verdictOn(received({ method, headers, body }), 1800);
  expect(verdict).toMatchObject({ kind: 'answer', response: { status } });
});

test('a 420 names only what is not supported', () => {
  const verdict = verdictOn(
    received({ method: 'INVITE', headers: { require: 'timer, Precondition,100rel' } }),
    1800,
  );
  expect(verdict).toMatchObject({ response: { headers: { Unsupported: 'precondition' } } });
});

test.each([
  { name: 're-INVITE with SDP', method: 'INVITE', body: 'v=0', want: 'v=0' },
  { name: 're-INVITE without', method: 'INVITE', body: '', want: undefined },
  { name: 'UPDATE with SDP', method: 'UPDATE', body: 'v=0', want: 'v=0' },
])('a $name negotiates', ({ method, body, want }) => {
  expect(verdictOn(received({ method, headers: sdp, body }), 1800)).toEqual({
    kind: 'negotiate',
    offer: want,
  });
});

test('a key by INFO is told with its duration', () => {
  const request = received({
    method: 'INFO',
    headers: { 'content-type': 'application/dtmf-relay' },
    body: 'Signal=5\r\nDuration=120',
  });
  expect(verdictOn(request, 1800)).toEqual({ kind: 'digit', digit: '5', duration: 120 });
});

test.each(['refer', 'Refer;id=93809824'])('NOTIFY of "%s" is progress of a transfer', (event) => {
  const request = received({ method: 'NOTIFY', headers: { event } });
  expect(verdictOn(request, 1800)).toEqual({ kind: 'refer-progress' });
});
