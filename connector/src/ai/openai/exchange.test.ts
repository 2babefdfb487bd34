import { expect, test } from 'vitest';
import type { Command } from './command.ts';
import { type Input, newExchange, step } from './exchange.ts';
import type { ServerEvent } from './server-event.ts';
import type { Effect, Exchange } from './step.ts';

const created: ServerEvent = { type: 'session-created' };
const updated: ServerEvent = { type: 'session-updated' };

function run(state: Exchange, inputs: readonly (Input | ServerEvent)[]): [Exchange, Effect[]] {
  return inputs.reduce<[Exchange, Effect[]]>(
    ([before, effects], input) => {
      const [after, more] = step(before, isInput(input) ? input : { type: 'server', event: input });
      return [after, [...effects, ...more]];
    },
    [state, []],
  );
}

const inputTypes = new Set(['server', 'speak', 'interrupt', 'add-item', 'digit', 'watch-ended']);

function isInput(input: Input | ServerEvent): input is Input {
  return inputTypes.has(input.type);
}

function open(): Exchange {
  const [state] = run(newExchange([]), [created, updated]);
  return state;
}

/** Effects in short: what a test of order compares. */
function brief(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect): string[] => {
    switch (effect.type) {
      case 'send':
        return [`> ${briefCommand(effect.command)}`];
      case 'emit': {
        const { event } = effect;
        if (event.type === 'reply-started') return [`reply-started ${event.reply}`];
        if (event.type === 'reply-ended') return [`reply-ended ${event.reply} ${event.status}`];
        if (event.type === 'audio') return [`audio ${event.item} ${event.audio.length}`];
        if (event.type === 'fault') return [`fault ${event.code}`];
        return [event.type];
      }
      case 'lost':
        return [`lost ${effect.code} ${effect.retryable}`];
      case 'watch':
      case 'note':
        return [];
      case 'ready':
      case 'refused':
        return [effect.type];
    }
  });
}

function briefCommand(command: Command): string {
  switch (command.type) {
    case 'respond':
      return `respond ${command.say ?? ''}`.trim();
    case 'cancel':
      return `cancel ${command.response}`;
    case 'truncate':
      return `truncate ${command.item} ${command.contentIndex} ${command.audioEnd}`;
    case 'add-item':
      return `add ${command.item.kind}`;
    case 'configure':
      return 'configure';
  }
}

function lastWatch(effects: readonly Effect[]): number | undefined {
  const watches = effects.flatMap((effect) => (effect.type === 'watch' ? [effect] : []));
  return watches.at(-1)?.delay;
}

const begun = (response: string): ServerEvent => ({ type: 'response-created', response });
const audio = (response: string, item: string, milliseconds: number): ServerEvent => ({
  type: 'audio',
  response,
  item,
  contentIndex: 0,
  audio: Buffer.alloc(milliseconds * 8),
});
const done = (
  response: string,
  status: 'completed' | 'cancelled' | 'failed' = 'completed',
  code = '',
): ServerEvent => ({ type: 'response-done', response, status, code });
const error = (code: string, about = ''): ServerEvent => ({
  type: 'error',
  code,
  about,
  message: 'quoted',
});
const call = (response: string, callId: string): ServerEvent => ({
  type: 'tool-call',
  response,
  callId,
  name: 'f',
  arguments: '{}',
});
const speak = (say?: string): Input => ({ type: 'speak', say });
const interrupt = (item?: string, milliseconds = 0): Input => ({
  type: 'interrupt',
  heard: item === undefined ? undefined : { item, milliseconds },
});
const heardCaller: ServerEvent = { type: 'speech-started' };
const stalled: Input = { type: 'watch-ended' };

test('the session is configured after the first word of the server, ready when it agrees', () => {
  expect(brief(run(newExchange([]), [created, created, updated, updated])[1])).toEqual([
    '> configure',
    'ready',
  ]);
});

test('a history is given to the server before it is ready, with the wish to go on', () => {
  const history = [
    { kind: 'message', role: 'caller', text: 'Hello' },
    { kind: 'message', role: 'agent', text: 'Hi' },
    { kind: 'tool-call', callId: 'c', name: 'f', arguments: '{}' },
    { kind: 'tool-result', callId: 'c', output: 'done' },
  ] as const;
  expect(brief(run(newExchange(history), [created, updated])[1])).toEqual([
    '> configure',
    '> add message',
    '> add message',
    '> add tool-call',
    '> add tool-result',
    '> add notice',
    'ready',
  ]);
});

test('an error before the session is ready refuses it', () => {
  expect(brief(run(newExchange([]), [created, error('invalid_value')])[1])).toEqual([
    '> configure',
    'refused',
  ]);
});

const rows: { name: string; given: (Input | ServerEvent)[]; want: string[] }[] = [
  {
    name: 'a reply of the server: started, audio, ended',
    given: [begun('r1'), audio('r1', 'i1', 200), done('r1')],
    want: ['reply-started r1', 'audio i1 1600', 'reply-ended r1 completed'],
  },
  {
    name: 'a second request waits for the end of the first reply',
    given: [speak('a'), speak(), speak('b'), begun('r1'), done('r1'), begun('r2'), done('r2')],
    want: [
      '> respond a',
      'reply-started r1',
      'reply-ended r1 completed',
      '> respond',
      'reply-started r2',
      'reply-ended r2 completed',
      '> respond b',
    ],
  },
  {
    name: 'two open questions to the model are one',
    given: [begun('r1'), speak(), speak(), done('r1'), begun('r2'), done('r2')],
    want: [
      'reply-started r1',
      'reply-ended r1 completed',
      '> respond',
      'reply-started r2',
      'reply-ended r2 completed',
    ],
  },
  {
    name: 'a request that met a reply of the server is made again after it',
    given: [
      speak('a'),
      begun('r1'),
      error('conversation_already_has_active_response', 'parley-2'),
      done('r1'),
    ],
    want: ['> respond a', 'reply-started r1', 'reply-ended r1 completed', '> respond a'],
  },
  {
    name: 'a request refused because of a reply we never saw waits for any end',
    given: [speak('a'), error('conversation_already_has_active_response'), done('rx')],
    want: ['> respond a', '> respond a'],
  },
  {
    name: 'a request refused for another reason makes way for the next',
    given: [speak('a'), speak('b'), error('invalid_value', 'parley-2')],
    want: ['> respond a', 'fault invalid_value', '> respond b'],
  },
  {
    name: 'an error about something else leaves the request alone',
    given: [speak('a'), speak('b'), error('invalid_value', 'parley-9')],
    want: ['> respond a', 'fault invalid_value'],
  },
  {
    name: 'an interrupted reply is cancelled, cut to what was heard, and falls silent',
    given: [
      begun('r1'),
      audio('r1', 'i1', 1000),
      heardCaller,
      audio('r1', 'i1', 200),
      interrupt('i1', 340.9),
      audio('r1', 'i1', 200),
      done('r1', 'cancelled'),
      audio('r1', 'i1', 200),
    ],
    want: [
      'reply-started r1',
      'audio i1 8000',
      'speech-started',
      '> cancel r1',
      '> truncate i1 0 340',
      'reply-ended r1 cancelled',
    ],
  },
  {
    name: 'a reply that is done but still heard is cut without a cancel',
    given: [begun('r1'), audio('r1', 'i1', 4000), done('r1'), interrupt('i1', 1500)],
    want: [
      'reply-started r1',
      'audio i1 32000',
      'reply-ended r1 completed',
      '> truncate i1 0 1500',
    ],
  },
  {
    name: 'what was to follow the item heard is cut entirely',
    given: [
      begun('r1'),
      audio('r1', 'i1', 1000),
      audio('r1', 'i2', 500),
      done('r1'),
      interrupt('i1', 900),
    ],
    want: [
      'reply-started r1',
      'audio i1 8000',
      'audio i2 4000',
      'reply-ended r1 completed',
      '> truncate i1 0 900',
      '> truncate i2 0 0',
    ],
  },
  {
    name: 'an item heard to its end, one unknown and one already cut are not cut',
    given: [
      begun('r1'),
      audio('r1', 'i1', 1000),
      done('r1'),
      interrupt('i1', 1000),
      interrupt('i1', 5000),
      interrupt('other', 10),
      interrupt('i1', 400),
      interrupt('i1', 500),
    ],
    want: ['reply-started r1', 'audio i1 8000', 'reply-ended r1 completed', '> truncate i1 0 400'],
  },
  {
    name: 'an interruption with nothing in progress does nothing',
    given: [interrupt(), interrupt()],
    want: [],
  },
  {
    name: 'an interruption between request and reply cancels the reply when it begins',
    given: [
      speak('a'),
      interrupt(),
      speak('b'),
      begun('r1'),
      audio('r1', 'i1', 20),
      done('r1', 'cancelled'),
    ],
    want: [
      '> respond a',
      'reply-started r1',
      '> cancel r1',
      'reply-ended r1 cancelled',
      '> respond b',
    ],
  },
  {
    name: 'an interruption drops the requests that waited',
    given: [begun('r1'), speak(), speak('a'), interrupt(), done('r1', 'cancelled')],
    want: ['reply-started r1', '> cancel r1', 'reply-ended r1 cancelled'],
  },
  {
    name: 'a second interruption of one reply cancels it once',
    given: [begun('r1'), interrupt(), interrupt()],
    want: ['reply-started r1', '> cancel r1'],
  },
  {
    name: 'a cancel that came too late is no fault',
    given: [begun('r1'), interrupt(), error('response_cancel_not_active'), done('r1')],
    want: ['reply-started r1', '> cancel r1', 'reply-ended r1 completed'],
  },
  {
    name: 'a tool call announced twice is reported once, one of a cancelled reply never',
    given: [begun('r1'), call('r1', 'c1'), call('r1', 'c1'), interrupt(), call('r1', 'c2')],
    want: ['reply-started r1', 'tool-call', '> cancel r1'],
  },
  {
    name: 'a tool result is asked about after the reply that made the call',
    given: [
      begun('r1'),
      call('r1', 'c1'),
      { type: 'add-item', item: { kind: 'tool-result', callId: 'c1', output: 'x' } },
      speak(),
      done('r1'),
    ],
    want: [
      'reply-started r1',
      'tool-call',
      '> add tool-result',
      'reply-ended r1 completed',
      '> respond',
    ],
  },
  {
    name: 'audio of a reply that was never announced announces it',
    given: [audio('r1', 'i1', 20), done('r1')],
    want: ['reply-started r1', 'audio i1 160', 'reply-ended r1 completed'],
  },
  {
    name: 'a reply that replaces another ends it',
    given: [begun('r1'), begun('r2'), done('r1'), done('r2')],
    want: [
      'reply-started r1',
      'reply-ended r1 incomplete',
      'reply-started r2',
      'reply-ended r2 completed',
    ],
  },
  {
    name: 'a failed reply says why',
    given: [begun('r1'), done('r1', 'failed', 'server_error')],
    want: ['reply-started r1', 'fault server_error', 'reply-ended r1 failed'],
  },
  {
    name: 'a reply that failed for lack of money loses the session',
    given: [begun('r1'), done('r1', 'failed', 'insufficient_quota')],
    want: ['reply-started r1', 'reply-ended r1 failed', 'lost insufficient_quota false'],
  },
  {
    name: 'an expired session is lost and may be opened again',
    given: [error('session_expired')],
    want: ['lost session_expired true'],
  },
  {
    name: 'a failed transcription is a fault',
    given: [{ type: 'transcription-failed', code: 'audio_unintelligible' }],
    want: ['fault audio_unintelligible'],
  },
  {
    name: 'a key is told to the model without a reply',
    given: [{ type: 'digit', digit: '5' }],
    want: ['> add message'],
  },
  {
    name: 'a request without a reply is given up for the next one',
    given: [speak('a'), speak('b'), stalled],
    want: ['> respond a', 'fault response_timeout', '> respond b'],
  },
  {
    name: 'a reply that stops in the middle is ended and cancelled',
    given: [begun('r1'), speak('b'), stalled, audio('r1', 'i1', 20)],
    want: [
      'reply-started r1',
      'fault response_timeout',
      'reply-ended r1 failed',
      '> cancel r1',
      '> respond b',
    ],
  },
  {
    name: 'a cancelled reply that never ends is ended for it, once',
    given: [begun('r1'), interrupt(), speak('b'), stalled, done('r1', 'cancelled')],
    want: ['reply-started r1', '> cancel r1', 'reply-ended r1 cancelled', '> respond b'],
  },
  {
    name: 'a timer that ran out late does nothing',
    given: [stalled],
    want: [],
  },
];

test.each(rows)('$name', ({ given, want }) => {
  expect(brief(run(open(), given)[1])).toEqual(want);
});

test.each<{ name: string; given: (Input | ServerEvent)[]; want: number | undefined }>([
  { name: 'a request', given: [speak()], want: 10_000 },
  { name: 'a reply in progress', given: [speak(), begun('r1')], want: 20_000 },
  { name: 'a cancelled reply', given: [begun('r1'), interrupt()], want: 3000 },
  { name: 'nothing', given: [begun('r1'), done('r1')], want: undefined },
])('waiting for $name ends after $want ms', ({ given, want }) => {
  expect(lastWatch(run(open(), given)[1])).toBe(want);
});

test('every command has an id of its own', () => {
  const digit = { type: 'digit', digit: '1' } as const;
  const [, effects] = run(open(), [speak(), begun('r1'), interrupt(), digit]);
  const ids = effects.flatMap((effect) => (effect.type === 'send' ? [effect.command.id] : []));
  expect(ids).toEqual(['parley-2', 'parley-3', 'parley-4']);
});

test('on a wideband session the cut is counted by its bytes, six for one of G.711', () => {
  const [ready] = run(newExchange([], 'pcm24k'), [created, updated]);
  const said = [begun('r1'), audio('r1', 'i1', 6 * 200), done('r1')];
  const cutAt = (heard: number) => brief(run(ready, [...said, interrupt('i1', heard)])[1]).at(-1);
  expect(cutAt(150)).toBe('> truncate i1 0 150');
  expect(cutAt(200)).toBe('reply-ended r1 completed');
});
