import { expect, test } from 'vitest';
import { nearestKey } from './problem.ts';

test.each([
  { key: 'providrs', want: 'providers' },
  { key: 'max_calls', want: 'maxCalls' },
  { key: 'MAXCALLS', want: 'maxCalls' },
  { key: 'tool', want: 'tools' },
  { key: 'x', want: undefined },
  { key: 'temperature', want: undefined },
  { key: '', want: undefined },
])('the key meant by "$key" is $want', ({ key, want }) => {
  expect(nearestKey(key, ['providers', 'maxCalls', 'tools', 'name'])).toBe(want);
});
