import { expect, test } from 'vitest';
import { formatCSeq, formatRAck, parseCSeq, parseRAck, parseRSeq } from './cseq.ts';
import { formatReason, parseReason } from './reason.ts';
import { formatSessionExpires, parseDeltaSeconds, parseSessionExpires } from './session-expires.ts';

test.each([
  ['1 INVITE', { sequence: 1, method: 'INVITE' }],
  ['0009   INVITE', { sequence: 9, method: 'INVITE' }],
  ['2147483647 X-y', { sequence: 2147483647, method: 'X-y' }],
  ['2147483648 INVITE', undefined],
  ['-1 INVITE', undefined],
  ['1', undefined],
  ['1 IN VITE', undefined],
  ['1 INVI(TE', undefined],
])('CSeq %s', (text, want) => {
  expect(parseCSeq(text)).toEqual(want);
});

test.each([
  ['776656 1 INVITE', { response: 776656, sequence: 1, method: 'INVITE' }],
  ['776656 INVITE', undefined],
  ['x 1 INVITE', undefined],
  ['', undefined],
])('RAck %s', (text, want) => {
  expect(parseRAck(text)).toEqual(want);
});

test('sequence headers format to what they were', () => {
  expect(formatCSeq({ sequence: 7, method: 'BYE' })).toBe('7 BYE');
  expect(formatRAck({ response: 1, sequence: 7, method: 'INVITE' })).toBe('1 7 INVITE');
  expect([parseRSeq('4294967295'), parseRSeq('4294967296')]).toEqual([4294967295, undefined]);
});

test.each([
  ['1800', { intervalSeconds: 1800 }],
  ['1800;refresher=uas', { intervalSeconds: 1800, refresher: 'uas' }],
  ['90 ; refresher = UAC ; x=y', { intervalSeconds: 90, refresher: 'uac' }],
  ['90;refresher=proxy', { intervalSeconds: 90 }],
  ['', undefined],
  ['-90', undefined],
  ['90 seconds', undefined],
  ['90;;', undefined],
])('Session-Expires %s', (text, want) => {
  const value = parseSessionExpires(text);
  expect(value).toEqual(want);
  expect(value && parseSessionExpires(formatSessionExpires(value))).toEqual(want);
});

test.each([
  ['120', 120],
  ['18000;duration=3600', 18000],
  ['120 (I am in a meeting)', 120],
  ['soon', undefined],
  ['99999999999', undefined],
])('seconds of %s', (text, want) => {
  expect(parseDeltaSeconds(text)).toBe(want);
});

test.each([
  [
    'Q.850;cause=16;text="Normal call clearing"',
    { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' },
  ],
  [
    'SIP ;cause=200 ;text="Call completed elsewhere"',
    { protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' },
  ],
  ['preemption', { protocol: 'preemption' }],
  ['', undefined],
  ['Q.850;;', undefined],
])('Reason %s', (text, want) => {
  const value = parseReason(text);
  expect(value).toEqual(want);
  expect(value && parseReason(formatReason(value))).toEqual(want);
});
