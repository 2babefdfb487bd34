import { expect, test } from 'vitest';
import { formatTime } from './meta.ts';

test.each([
  [Date.UTC(2026, 0, 1, 0, 0, 0), '00:00:00.000000'],
  [Date.UTC(2026, 0, 1, 8, 0, 26, 846) + 0.699, '08:00:26.846699'],
  [Date.UTC(2026, 11, 31, 23, 59, 59, 999), '23:59:59.999000'],
  [Date.UTC(2026, 11, 31, 23, 59, 59, 999) + 0.9999, '00:00:00.000000'],
])('%d is %s', (wall, want) => {
  expect(formatTime(wall)).toBe(want);
});
