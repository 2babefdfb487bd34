import { expect, test } from 'vitest';
import { parseReplaces, withReplaces } from './replaces.ts';

const dialog = { callId: 'a@b', localTag: 'l', remoteTag: 'r' };

test.each([
  ['a@b;to-tag=l;from-tag=r', { ...dialog, isEarlyOnly: false }],
  ['a@b ; from-tag = r ; TO-TAG=l ; early-only', { ...dialog, isEarlyOnly: true }],
  ['a@b;to-tag=l;from-tag=r;x=y', { ...dialog, isEarlyOnly: false }],
])('%s names a dialog', (value, expected) => {
  expect(parseReplaces(value)).toEqual(expected);
});

test.each([
  '',
  'a@b',
  'a@b;to-tag=l',
  'a@b;to-tag=;from-tag=r',
  'a@b;to-tag=l;to-tag=m;from-tag=r',
  'a@b;to-tag=l;from-tag=r, c@d;to-tag=l;from-tag=r',
  ';to-tag=l;from-tag=r',
])('%s is no Replaces', (value) => {
  expect(parseReplaces(value)).toBeUndefined();
});

test.each([
  ['sip:bob@192.0.2.1', 'sip:bob@192.0.2.1?Replaces=a%40b%3Bto-tag%3Dr%3Bfrom-tag%3Dl'],
  ['sip:bob@x?Subject=y', 'sip:bob@x?Subject=y&Replaces=a%40b%3Bto-tag%3Dr%3Bfrom-tag%3Dl'],
])('%s is told which dialog to give up, from its own side', (target, expected) => {
  expect(withReplaces(target, dialog)).toBe(expected);
});
