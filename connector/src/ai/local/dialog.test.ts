import { expect, test } from 'vitest';
import type { HistoryItem } from '../session.ts';
import { type DialogEvent, type DialogSetup, dialogOf, stepDialog } from './dialog.ts';
import { Script } from './script.ts';
import { vocabularyOf } from './vocabulary.ts';

const vocabulary = vocabularyOf(
  'order x\nlarge x\nsmall x\npizza x\nyes x\nno x\nhours x\ngoodbye x\nstatus x\n',
);

const setup: DialogSetup = {
  greeting: 'Hello.',
  options: { fallback: 'Pardon?', digits: { '1': 'hours', '9': 'goodbye' } },
  script: new Script(
    {
      slots: { size: ['large', 'small'] },
      pronunciations: {},
      intents: [
        {
          name: 'order',
          phrases: ['order [{size}] pizza'],
          reply: 'A {size} pizza. Right?',
          next: ['agree'],
        },
        {
          name: 'agree',
          phrases: ['yes'],
          reply: 'It is number {result}.',
          tool: { name: 'place', arguments: { what: 'pizza' } },
        },
        { name: 'hours', phrases: ['hours'], reply: 'Noon to ten.' },
        {
          name: 'goodbye',
          phrases: ['goodbye'],
          reply: 'Goodbye.',
          tool: { name: 'hang_up', arguments: {} },
        },
        {
          name: 'status',
          phrases: ['status {size}'],
          tool: { name: 'status', arguments: { of: 'the {size} one' } },
        },
      ],
    },
    vocabulary,
  ),
};

/** Effects of some events in a row; tool calls are named c0, c1, … */
function run(events: readonly DialogEvent[], history: readonly HistoryItem[] = []) {
  let state = dialogOf(setup, history);
  return events.map((event) => {
    const [next, effects] = stepDialog(setup, state, event);
    state = next;
    return effects;
  });
}

const heard = (text: string, callId = 'c1'): DialogEvent => ({ type: 'heard', text, callId });
const result = (output: string): DialogEvent => ({ type: 'tool-result', callId: 'c1', output });
const digit = (key: string): DialogEvent => ({ type: 'digit', digit: key, callId: 'c1' });
const respond: DialogEvent = { type: 'respond', callId: 'c2' };
const speak = (text: string) => [{ type: 'speak', text }];

test('slots go into the reply, and what was not said leaves no hole', () => {
  expect(run([heard('order large pizza')])).toEqual([speak('A large pizza. Right?')]);
  expect(run([heard('order pizza')])).toEqual([speak('A pizza. Right?')]);
});

test('after an intent with `next`, only that follows; after one without, all do', () => {
  expect(run([heard('order pizza'), heard('hours'), heard('yes')])).toEqual([
    speak('A pizza. Right?'),
    speak('Pardon?'),
    [{ type: 'call-tool', callId: 'c1', name: 'place', arguments: '{"what":"pizza"}' }],
  ]);
  expect(run([heard('hours'), heard('order pizza')]).at(-1)).toEqual(speak('A pizza. Right?'));
});

test('a reply that needs no result is said with the call', () => {
  expect(run([heard('goodbye')])).toEqual([
    [
      { type: 'speak', text: 'Goodbye.' },
      { type: 'call-tool', callId: 'c1', name: 'hang_up', arguments: '{}' },
    ],
  ]);
});

test('slots and fixed arguments go to the tool', () => {
  expect(run([heard('status large')])).toEqual([
    [
      {
        type: 'call-tool',
        callId: 'c1',
        name: 'status',
        arguments: '{"size":"large","of":"the large one"}',
      },
    ],
  ]);
});

test.each([
  ['a field `say` is said', 'yes', '{"say":"Number 7, soon."}', 'Number 7, soon.'],
  ['prose goes into the reply', 'yes', '17', 'It is number 17.'],
  ['JSON without `say` is not read out', 'yes', '{"id":17}', 'It is number .'],
  ['an error is admitted', 'yes', '{"error":"timeout"}', 'Sorry, that did not work.'],
  ['without a reply, prose is said', 'status small', 'In the oven.', 'In the oven.'],
  ['without a reply, a JSON string is said', 'status small', '"In the oven."', 'In the oven.'],
  ['what was announced is not said twice', 'goodbye', 'ok', ''],
])('of a tool result: %s', (...[, said, output, want]) => {
  const opening = said === 'yes' ? [heard('order pizza')] : [];
  expect(run([...opening, heard(said), result(output), respond]).at(-1)).toEqual(speak(want));
});

test('a result is said once', () => {
  const all = run([heard('status small'), result('Soon.'), respond, respond]);
  expect(all.slice(2)).toEqual([speak('Soon.'), speak('Pardon?')]);
});

test('keys stand for their intents; others do nothing', () => {
  expect(run([digit('1'), digit('5')])).toEqual([speak('Noon to ten.'), []]);
});

test('asked to speak first, it greets; later it does not', () => {
  expect(run([respond, respond])).toEqual([speak('Hello.'), speak('Pardon?')]);
});

const message = (role: 'caller' | 'agent', text: string): HistoryItem => ({
  kind: 'message',
  role,
  text,
});
const call: HistoryItem = {
  kind: 'tool-call',
  callId: 'c1',
  name: 'place',
  arguments: '{"what":"pizza"}',
};

test('a history is gone on with: what can follow is known, and nobody is greeted', () => {
  const history = [
    message('agent', 'Hello.'),
    message('caller', 'order large pizza'),
    message('agent', 'A large pizza. Right?'),
  ];
  expect(run([heard('hours')], history)).toEqual([speak('Pardon?')]);
  expect(run([respond], history)).toEqual([speak('Pardon?')]);
});

test('the last words of a history that nobody answered are answered', () => {
  expect(run([respond], [message('agent', 'Hello.'), message('caller', 'hours')])).toEqual([
    speak('Noon to ten.'),
  ]);
});

test('a result in a history is said, unless it was', () => {
  const history: HistoryItem[] = [
    message('caller', 'yes'),
    call,
    { kind: 'tool-result', callId: 'c1', output: '17' },
  ];
  expect(run([respond], history)).toEqual([speak('It is number 17.')]);
  expect(run([respond], [...history, message('agent', 'It is number 17.')])).toEqual([
    speak('Pardon?'),
  ]);
});

test('a call whose outcome was lost is made again, the same', () => {
  const history: HistoryItem[] = [
    message('caller', 'yes'),
    call,
    { kind: 'tool-result', callId: 'c1', output: '{"outcome":"unknown","note":"…"}' },
  ];
  const effects = run(
    [
      respond,
      { type: 'tool-result', callId: 'c2', output: '17' },
      { type: 'respond', callId: 'x' },
    ],
    history,
  );
  expect(effects).toEqual([
    [{ type: 'call-tool', callId: 'c2', name: 'place', arguments: '{"what":"pizza"}' }],
    [],
    speak('It is number 17.'),
  ]);
});
