import { expect, test } from 'vitest';
import type { Application } from './application.ts';
import { Registrations } from './registrations.ts';

function application(): Application {
  return { tags: [], isOpen: true, notify: () => undefined, reply: () => undefined };
}

test('applications take turns, verb by verb', () => {
  const [a, b] = [application(), application()];
  const registrations = new Registrations();
  registrations.add('invite', a);
  registrations.add('invite', b);
  registrations.add('options', b);
  expect([1, 2, 3].map(() => registrations.next('invite'))).toEqual([a, b, a]);
  expect(registrations.next('options')).toBe(b);
  expect(registrations.next('message')).toBeUndefined();
});

test('who registers twice has two turns', () => {
  const [a, b] = [application(), application()];
  const registrations = new Registrations();
  for (const each of [a, b, a]) registrations.add('invite', each);
  const turns = [1, 2, 3, 4, 5, 6].map(() => registrations.next('invite'));
  expect(turns.filter((each) => each === a)).toHaveLength(4);
});

test('remove takes only the named verb', () => {
  const a = application();
  const registrations = new Registrations();
  registrations.add('invite', a);
  registrations.add('options', a);
  registrations.remove('invite', a);
  expect(registrations.next('invite')).toBeUndefined();
  expect(registrations.next('options')).toBe(a);
  registrations.removeAll(a);
  expect(registrations.next('options')).toBeUndefined();
});
