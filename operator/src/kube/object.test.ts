import { expect, test } from 'vitest';
import { controllerOf, isNews, keyOf, refOf } from './object.ts';

test.each([
  { candidate: '11', known: '10', want: true },
  { candidate: '10', known: '10', want: false },
  { candidate: '9', known: '10', want: false },
  { candidate: '10', known: '9', want: true },
  { candidate: '18446744073709551616', known: '9007199254740993', want: true },
  { candidate: 'abc', known: '10', want: true },
  { candidate: '10', known: '', want: true },
])('$candidate after $known is news: $want', ({ candidate, known, want }) => {
  expect(isNews(candidate, known)).toBe(want);
});

test('keys name objects with and without a namespace', () => {
  expect(keyOf({ metadata: { namespace: 'a', name: 'b' } })).toBe('a/b');
  expect(keyOf({ metadata: { name: 'n1' } })).toBe('n1');
  expect(refOf('a/b')).toEqual({ namespace: 'a', name: 'b' });
  expect(refOf('n1')).toEqual({ name: 'n1' });
});

test('the controller is the one owner that manages', () => {
  const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: '1' };
  const manager = { ...owner, uid: '2', controller: true };
  expect(controllerOf({ metadata: { ownerReferences: [owner, manager] } })).toBe(manager);
  expect(controllerOf({ metadata: { ownerReferences: [owner] } })).toBeUndefined();
});
