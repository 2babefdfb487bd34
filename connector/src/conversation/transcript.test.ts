import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { historyOf } from './history.ts';
import { Transcript } from './transcript.ts';
import type { Turn } from './turns.ts';

function make(): { transcript: Transcript; reports: Turn[]; clock: FakeClock } {
  const reports: Turn[] = [];
  const clock = new FakeClock(1000);
  return { transcript: new Transcript(clock, (turn) => void reports.push(turn)), reports, clock };
}

test('text that comes before the sound, with it and after it makes one turn', () => {
  const { transcript, reports, clock } = make();
  transcript.agentSaid('a', 'Good ', false);
  clock.advance(50);
  transcript.agentBegan('a');
  transcript.agentSaid('a', 'mor', false);
  transcript.agentHeard('a', { heard: 300, received: 300, isInterrupted: false });
  transcript.agentSaid('a', 'Good morning.', true);
  const turn = { number: 1, at: 1050, role: 'agent', heard: 300, received: 300 };
  expect(reports).toEqual([
    { ...turn, text: 'Good mor', heardText: 'Good mor', isInterrupted: false },
    { ...turn, text: 'Good morning.', heardText: 'Good morning.', isInterrupted: false },
  ]);
});

test('text that comes after an interruption does not lengthen what was heard', () => {
  const { transcript } = make();
  transcript.agentBegan('a');
  transcript.agentSaid('a', 'one two three four', false);
  transcript.agentHeard('a', { heard: 500, received: 1000, isInterrupted: true });
  transcript.agentSaid('a', 'one two three four five six seven eight', true);
  expect(transcript.turns()).toMatchObject([{ text: 'one two three four', heardText: 'one two' }]);
});

test('an interrupted item whose text comes only later is cut in proportion', () => {
  const { transcript } = make();
  transcript.agentBegan('a');
  transcript.agentHeard('a', { heard: 500, received: 1000, isInterrupted: true });
  transcript.agentSaid('a', 'one two three four', true);
  expect(transcript.turns()).toMatchObject([{ heardText: 'one two' }]);
});

test.each([
  { heard: 0, heardText: '' },
  { heard: 100, heardText: '' },
  { heard: 500, heardText: 'one two' },
  { heard: 999, heardText: 'one two three' },
  { heard: 1000, heardText: 'one two three four' },
])('$heard ms of 1000 are "$heardText"', ({ heard, heardText }) => {
  const { transcript } = make();
  transcript.agentBegan('a');
  transcript.agentSaid('a', 'one two three four', true);
  transcript.agentHeard('a', { heard, received: 1000, isInterrupted: true });
  expect(transcript.turns()).toMatchObject([{ heardText }]);
});

test('words of the caller that were not final when the session was lost are kept', () => {
  const { transcript, reports } = make();
  transcript.callerBegan();
  transcript.callerSaid('c', 'I would', false);
  transcript.callerSaid('c', ' like', false);
  expect(reports).toEqual([]);
  transcript.endCallers();
  expect(reports).toMatchObject([{ role: 'caller', text: 'I would like' }]);
  transcript.callerSaid('d', 'a pizza', true);
  expect(transcript.turns()).toHaveLength(2);
});

test('turns that were handed out do not change afterwards', () => {
  const { transcript, reports } = make();
  transcript.digit('1');
  transcript.digit('2');
  expect(reports).toMatchObject([{ digits: '1' }, { digits: '12' }]);
});

test('a new session is told what was heard, pressed and done', () => {
  const { transcript } = make();
  transcript.callerSaid('c', 'Two pizzas', true);
  transcript.agentBegan('a');
  transcript.agentSaid('a', 'one two three four', true);
  transcript.agentHeard('a', { heard: 0, received: 1000, isInterrupted: true });
  transcript.digit('4');
  const first = transcript.toolStarted({ callId: 't', name: 'order', arguments: '{}' });
  transcript.toolEnded(first, 'ok', 'done');
  transcript.toolStarted({ callId: 'u', name: 'order', arguments: '{"n":2}' });
  transcript.agentBegan('b');
  transcript.agentSaid('b', 'being said', false);
  const history = historyOf(transcript.turns(), (turn) => transcript.isPending(turn));
  expect(history).toEqual([
    { kind: 'message', role: 'caller', text: 'Two pizzas' },
    { kind: 'message', role: 'caller', text: '(pressed the keys 4)' },
    { kind: 'tool-call', callId: 't', name: 'order', arguments: '{}' },
    { kind: 'tool-result', callId: 't', output: 'done' },
    { kind: 'tool-call', callId: 'u', name: 'order', arguments: '{"n":2}' },
    { kind: 'tool-result', callId: 'u', output: expect.stringContaining('"unknown"') as string },
    { kind: 'message', role: 'agent', text: 'being said' },
  ]);
});
