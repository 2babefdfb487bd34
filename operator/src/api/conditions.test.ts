import { expect, test } from 'vitest';
import { type Condition, conditionsOf, type Finding } from './conditions.ts';

const yes: Finding = { status: 'True', reason: 'Good', message: 'all is well' };
const good = {
  Accepted: yes,
  ResolvedRefs: yes,
  Scheduled: yes,
  PodsReady: yes,
  ProviderReady: yes,
};
const context = { generation: 3, now: '2026-01-02T00:00:00Z', previous: [] };

const readyOf = (conditions: readonly Condition[]) =>
  conditions.find(({ type }) => type === 'Ready');

test('when every link holds the agent is Ready', () => {
  expect(readyOf(conditionsOf(good, context))).toEqual({
    type: 'Ready',
    status: 'True',
    observedGeneration: 3,
    lastTransitionTime: '2026-01-02T00:00:00Z',
    reason: 'Ready',
    message: 'calls are answered',
  });
});

test('Ready repeats the first link that does not hold', () => {
  const findings = {
    ...good,
    ResolvedRefs: { status: 'False', reason: 'SecretNotFound', message: 'no Secret "a"' },
    PodsReady: { status: 'False', reason: 'Starting', message: '0 of 1' },
  } as const;
  expect(readyOf(conditionsOf(findings, context))).toMatchObject({
    status: 'False',
    reason: 'SecretNotFound',
    message: 'no Secret "a"',
  });
});

test('what is unknown is not Ready', () => {
  const findings = {
    ...good,
    ProviderReady: { status: 'Unknown', reason: 'NoReport', message: 'nobody says' },
  } as const;
  expect(readyOf(conditionsOf(findings, context))).toMatchObject({ status: 'Unknown' });
});

test('the time of a transition moves with the status only, not with reason or message', () => {
  const previous = conditionsOf(good, { ...context, now: '2026-01-01T00:00:00Z' });
  const findings = {
    ...good,
    Scheduled: { ...yes, message: 'other words' },
    PodsReady: { status: 'False', reason: 'Starting', message: '0 of 1' },
  } as const;
  const times = conditionsOf(findings, { ...context, previous }).map(
    ({ type, lastTransitionTime }) => `${type} ${lastTransitionTime.slice(0, 10)}`,
  );
  expect(times).toEqual([
    'Accepted 2026-01-01',
    'ResolvedRefs 2026-01-01',
    'Scheduled 2026-01-01',
    'PodsReady 2026-01-02',
    'ProviderReady 2026-01-01',
    'Ready 2026-01-02',
  ]);
});

test('a message without end is cut', () => {
  const long = { ...yes, message: 'x'.repeat(5000) };
  const [first] = conditionsOf({ ...good, Accepted: long }, context);
  expect(first?.message).toHaveLength(1000);
});
