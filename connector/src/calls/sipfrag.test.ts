import { expect, test } from 'vitest';
import { parseSipfrag, subscriptionStateOf } from './sipfrag.ts';

test.each([
  { body: 'SIP/2.0 100 Trying\r\n', want: { status: 100, reason: 'Trying' } },
  { body: 'SIP/2.0 200 OK', want: { status: 200, reason: 'OK' } },
  { body: 'SIP/2.0 486 Busy Here\r\nWarning: x\r\n', want: { status: 486, reason: 'Busy Here' } },
  { body: 'SIP/2.0 603\r\n', want: { status: 603, reason: '' } },
  { body: '\r\nSIP/2.0 180 Ringing\n', want: { status: 180, reason: 'Ringing' } },
  { body: 'sip/2.0 200 ok', want: { status: 200, reason: 'ok' } },
])('$body is read', ({ body, want }) => {
  expect(parseSipfrag(body)).toEqual(want);
});

test.each([
  '',
  'OK',
  'SIP/2.0',
  'SIP/2.0 20 OK',
  'SIP/2.0 700 No',
  'SIP/2.0 2000',
  'SIP/1.0 200 OK',
])('"%s" is no status line', (body) => {
  expect(parseSipfrag(body)).toBeUndefined();
});

test('the state of a subscription comes without its parameters', () => {
  expect(subscriptionStateOf('Terminated;reason=noresource')).toBe('terminated');
  expect(subscriptionStateOf(' active ;expires=60')).toBe('active');
  expect(subscriptionStateOf(undefined)).toBe('');
});
