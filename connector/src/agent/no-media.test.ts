import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { NoMediaWatch } from './no-media.ts';

function watching() {
  const clock = new FakeClock();
  const told: string[] = [];
  let heardAt: number | undefined = 0;
  const watch = new NoMediaWatch({
    clock,
    lastAudioAt: () => heardAt ?? clock.now(),
    onSilence: () => told.push('silence'),
  });
  watch.start();
  return { clock, told, watch, hear: (at: number | undefined) => (heardAt = at) };
}

test('a caller who sends nothing for half a minute is told of once', () => {
  const { clock, told } = watching();
  clock.advance(29_999);
  expect(told).toEqual([]);
  clock.advance(60_000);
  expect(told).toEqual(['silence']);
  expect(clock.pending).toBe(0);
});

test('a caller who is heard is not', () => {
  const { clock, told, hear } = watching();
  clock.advance(20_000);
  hear(20_000);
  clock.advance(29_000);
  expect(told).toEqual([]);
  clock.advance(5_000);
  expect(told).toEqual(['silence']);
});

test('a caller who need not send is not', () => {
  const { clock, told, hear } = watching();
  hear(undefined);
  clock.advance(600_000);
  expect(told).toEqual([]);
});

test('a watch that is stopped leaves no timer', () => {
  const { clock, watch } = watching();
  watch.stop();
  watch.stop();
  expect(clock.pending).toBe(0);
});
