import { expect, test } from 'vitest';
import type { KubeObject } from './object.ts';
import { Store } from './store.ts';

function object(
  name: string,
  over: { version?: string; uid?: string; app?: string } = {},
): KubeObject {
  const { version = '1', uid = name, app } = over;
  return {
    metadata: {
      namespace: 'a',
      name,
      uid,
      resourceVersion: version,
      ...(app ? { labels: { app } } : {}),
    },
  };
}

function store(): Store<KubeObject, 'app'> {
  return new Store({ app: ({ metadata }) => metadata?.labels?.['app']?.split(',') ?? [] });
}

test('an index follows its objects', () => {
  const pods = store();
  const x = object('x', { app: 'one,two' });
  pods.put(x);
  pods.put(object('y', { app: 'one' }));
  expect(pods.by('app', 'one')).toHaveLength(2);
  expect(pods.by('app', 'two')).toEqual([x]);
  pods.put(object('x', { app: 'two', version: '2' }));
  expect(pods.by('app', 'one').map(({ metadata }) => metadata?.name)).toEqual(['y']);
  pods.remove('a/x');
  expect(pods.by('app', 'two')).toEqual([]);
  expect(pods.by('app', 'three')).toEqual([]);
});

test('changes tell before and after', () => {
  const pods = store();
  const old = object('x');
  const young = object('x', { version: '2' });
  expect(pods.put(old)).toEqual({ key: 'a/x', before: undefined, after: old });
  expect(pods.put(young)).toEqual({ key: 'a/x', before: old, after: young });
  expect(pods.remove('a/x')).toEqual({ key: 'a/x', before: young, after: undefined });
  expect(pods.remove('a/x')).toBeUndefined();
});

test('a whole list tells what came, changed, was replaced and vanished, and nothing of the rest', () => {
  const pods = store();
  const [same, changed, replaced, gone] = ['same', 'changed', 'replaced', 'gone'].map((name) =>
    object(name),
  );
  for (const given of [same, changed, replaced, gone]) if (given) pods.put(given);
  const next = [
    object('same'),
    object('changed', { version: '2' }),
    object('replaced', { uid: 'another' }),
    object('new'),
  ];
  expect(pods.replace(next)).toEqual([
    { key: 'a/gone', before: gone, after: undefined },
    { key: 'a/changed', before: changed, after: next[1] },
    { key: 'a/replaced', before: replaced, after: next[2] },
    { key: 'a/new', before: undefined, after: next[3] },
  ]);
  expect(pods.size).toBe(4);
});
