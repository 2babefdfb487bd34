import { expect, test } from 'vitest';
import { infoDigitBody, infoDigitType, parseInfoDigit } from './info-dtmf.ts';

const relay = 'application/dtmf-relay';

test.each([
  { name: 'Cisco', type: relay, body: 'Signal=5\r\nDuration=160\r\n', want: ['5', 160] },
  { name: 'spaces', type: relay, body: 'Signal= 1 \r\nDuration= 250\r\n', want: ['1', 250] },
  { name: 'bare newlines', type: relay, body: 'Signal=#\nDuration=100', want: ['#', 100] },
  { name: 'another order', type: relay, body: 'Duration=90\r\nSignal=*', want: ['*', 90] },
  { name: 'no duration', type: relay, body: 'Signal=9', want: ['9', 160] },
  { name: 'a lower case letter', type: relay, body: 'signal=a\r\n', want: ['A', 160] },
  { name: 'a star by number', type: relay, body: 'Signal=10\r\nDuration=1', want: ['*', 1] },
  { name: 'a hash by number', type: relay, body: 'Signal=11', want: ['#', 160] },
  {
    name: 'an absurd duration',
    type: relay,
    body: 'Signal=1\r\nDuration=999999',
    want: ['1', 10000],
  },
  { name: 'duration 0', type: relay, body: 'Signal=1\r\nDuration=0', want: ['1', 1] },
  {
    name: 'a parameter of the type',
    type: `${relay}; charset=utf-8`,
    body: 'Signal=7',
    want: ['7', 160],
  },
  { name: 'upper case type', type: 'Application/DTMF-Relay', body: 'Signal=7', want: ['7', 160] },
  { name: 'application/dtmf', type: 'application/dtmf', body: '5\r\n', want: ['5', 160] },
  { name: 'application/dtmf by number', type: 'application/dtmf', body: '11', want: ['#', 160] },
])('INFO with $name gives its key', ({ type, body, want: [digit, duration] }) => {
  expect(parseInfoDigit(type, body)).toEqual({ digit, duration });
});

test.each([
  { name: 'no type', type: undefined, body: 'Signal=5' },
  { name: 'another type', type: 'text/plain', body: 'Signal=5' },
  { name: 'no signal', type: relay, body: 'Duration=160' },
  { name: 'an empty signal', type: relay, body: 'Signal=\r\nDuration=160' },
  { name: 'no key', type: relay, body: 'Signal=x' },
  { name: 'two keys', type: 'application/dtmf', body: '55' },
  { name: 'an empty body', type: 'application/dtmf', body: '' },
])('INFO with $name gives nothing', ({ type, body }) => {
  expect(parseInfoDigit(type, body)).toBeUndefined();
});

test.each(['0', '*', '#', 'D'])('what we write of the key %s is read as it was meant', (digit) => {
  const key = { digit, duration: 100 };
  expect(parseInfoDigit(infoDigitType, infoDigitBody(key))).toEqual(key);
});
