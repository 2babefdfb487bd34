import { expect, test } from 'vitest';
import {
  type SessionTimerEffect,
  type SessionTimerEvent,
  type SessionTimerState,
  stepSessionTimer,
} from './session-timer.ts';

const ours = { intervalSeconds: 1800, isRefresher: true };
const theirs = { intervalSeconds: 90, isRefresher: false };
const off: SessionTimerState = { name: 'off' };
const running: SessionTimerState = { name: 'running', terms: ours, due: 100_000 };
const refreshing: SessionTimerState = { name: 'refreshing', terms: ours, due: 100_000 };
const failed = (
  status: number,
  more: { minSeSeconds?: number; now?: number } = {},
): SessionTimerEvent => ({
  kind: 'failed',
  status,
  wait: 2_500,
  now: 0,
  ...more,
});
const timer = (name: 'refresh' | 'expire'): SessionTimerEvent => ({
  kind: 'timer',
  timer: name,
  now: 0,
});

function brief(effects: readonly SessionTimerEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'start') return `${effect.timer}=${effect.delay}`;
    if (effect.kind === 'stop') return `-${effect.timer}`;
    return effect.kind === 'refresh' ? `refresh ${effect.intervalSeconds}` : effect.kind;
  });
}

test.each<[SessionTimerState, string, SessionTimerEvent, string, string[]]>([
  [
    off,
    'we agree to refresh',
    { kind: 'agreed', terms: ours, now: 0 },
    'running',
    ['refresh=900000', 'expire=1768000'],
  ],
  [
    off,
    'they refresh',
    { kind: 'agreed', terms: theirs, now: 0 },
    'running',
    ['-refresh', 'expire=60000'],
  ],
  [running, 'no timer any more', { kind: 'agreed', now: 0 }, 'off', ['-refresh', '-expire']],
  [running, 'refresh', timer('refresh'), 'refreshing', ['refresh 1800']],
  [running, 'expire', timer('expire'), 'off', ['-refresh', '-expire', 'bye']],
  [running, 'a failure of nothing', failed(500), 'running', []],
  [refreshing, 'refresh', timer('refresh'), 'refreshing', []],
  [refreshing, 'expire', timer('expire'), 'off', ['-refresh', '-expire', 'bye']],
  [
    refreshing,
    'agreed',
    { kind: 'agreed', terms: ours, now: 0 },
    'running',
    ['refresh=900000', 'expire=1768000'],
  ],
  [refreshing, '408', failed(408), 'off', ['-refresh', '-expire', 'bye']],
  [refreshing, '481', failed(481), 'off', ['-refresh', '-expire', 'bye']],
  [refreshing, '491', failed(491), 'running', ['refresh=2500']],
  [refreshing, '422', failed(422, { minSeSeconds: 3600 }), 'refreshing', ['refresh 3600']],
  [
    refreshing,
    '422 that asks for less',
    failed(422, { minSeSeconds: 90 }),
    'running',
    ['refresh=50000'],
  ],
  [refreshing, '503', failed(503), 'running', ['refresh=50000']],
  [refreshing, '503 near the end', failed(503, { now: 99_000 }), 'running', []],
  [off, 'late failure', failed(408), 'off', []],
])('session timer: %o, %s', (...[state, , event, next, effects]) => {
  const [result, given] = stepSessionTimer(state, event);
  expect([result.name, brief(given)]).toEqual([next, effects]);
});
