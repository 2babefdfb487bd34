import type { Clock } from '@parley/connector/base/clock';
import { expect, test } from 'vitest';
import type { Pod } from '../../kube/kinds.ts';
import { WrittenPods } from './written-pods.ts';

function site() {
  const time = { now: 0 };
  const clock: Clock = {
    now: () => time.now,
    wall: () => time.now,
    after: () => ({ cancel: () => undefined }),
  };
  return { time, written: new WrittenPods(clock) };
}

function podOf(uid: string, resourceVersion: string): Pod {
  return { metadata: { name: uid, uid, resourceVersion } };
}

const ours = () => true;
const told = (list: readonly Pod[]) =>
  list.map(({ metadata }) => {
    const { uid, resourceVersion, deletionTimestamp } = metadata ?? {};
    return `${uid}@${resourceVersion}${deletionTimestamp ? ' deleted' : ''}`;
  });

test('a pod that was made is there before the cache has it', () => {
  const { written } = site();
  written.wrote(podOf('a', '5'));
  expect(told(written.merge([podOf('b', '1')], ours))).toEqual(['b@1', 'a@5']);
  expect(told(written.merge([], () => false))).toEqual([]);
});

test('what was changed is newer than the cache, until the cache is', () => {
  const { written } = site();
  written.wrote(podOf('a', '15'));
  expect(told(written.merge([podOf('a', '9')], ours))).toEqual(['a@15']);
  expect(told(written.merge([podOf('a', '16')], ours))).toEqual(['a@16']);
  expect(told(written.merge([podOf('a', '9')], ours))).toEqual(['a@9']);
});

test('what was deleted is so before the cache says it, and is not brought back', () => {
  const { written } = site();
  written.deleted(podOf('a', '5'));
  expect(told(written.merge([podOf('a', '5')], ours))).toEqual(['a@5 deleted']);
  expect(told(written.merge([], ours))).toEqual([]);
});

test('what no watch ever shows is given up', () => {
  const { written, time } = site();
  written.wrote(podOf('a', '5'));
  written.deleted(podOf('b', '5'));
  time.now = 30_000;
  expect(told(written.merge([podOf('b', '5')], ours))).toEqual(['b@5']);
});
