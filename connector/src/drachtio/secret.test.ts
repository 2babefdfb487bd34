import { expect, test } from 'vitest';
import { secretProblem } from './secret.ts';

test.each([
  ['cymru', '127.0.0.1', undefined],
  ['cymru', '::1', undefined],
  ['s3cret', '0.0.0.0', undefined],
  ['', '127.0.0.1', /empty/],
  ['cymru', '0.0.0.0', /everybody knows/],
  ['admin', '192.0.2.1', /everybody knows/],
  ['admin', 'localhost', /everybody knows/],
])('secret %j at %s: %s', (secret, address, problem) => {
  expect(secretProblem(secret, address) ?? '').toMatch(problem ?? /^$/);
});
