import { expect, test } from 'vitest';
import { type LegPhase, mayFollow } from './phase.ts';

const phases: readonly LegPhase[] = ['setup', 'answered', 'confirmed', 'ending', 'ended'];

test.each([
  { from: 'setup', to: ['answered', 'confirmed', 'ended'] },
  { from: 'answered', to: ['confirmed', 'ended'] },
  { from: 'confirmed', to: ['ending', 'ended'] },
  { from: 'ending', to: ['ended'] },
  { from: 'ended', to: [] },
] as const)('from $from a leg goes to $to only', ({ from, to }) => {
  expect(phases.filter((phase) => mayFollow(from, phase))).toEqual(to);
});
