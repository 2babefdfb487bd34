import { expect, test } from 'vitest';
import type { Header, SipResponse } from '../sip/message/message.ts';
import {
  type SearchEffect,
  type SearchEvent,
  type SearchOptions,
  searchOf,
  stepSearch,
} from './target-set.ts';

function answer(status: number, headers: Header[] = []): SipResponse {
  return { kind: 'response', status, reason: '', headers, body: Buffer.alloc(0) };
}

function response(branch: number, status: number, headers: Header[] = []): SearchEvent {
  return { kind: 'response', branch, response: answer(status, headers) };
}

/** An effect in short: `forward 0 a`, `reply 200`, `cancel 1`, `done` … Timers only when asked for. */
function describe(effect: SearchEffect): string {
  switch (effect.kind) {
    case 'forward':
      return `forward ${effect.branch} ${effect.target}`;
    case 'cancel':
      return `cancel ${effect.branch}`;
    case 'reply':
      return `reply ${effect.response.status}`;
    case 'report':
      return `report ${effect.branch} ${effect.response.status}`;
    case 'wait':
      return `wait ${effect.timer} ${effect.branch} ${effect.delay}`;
    case 'stop':
      return `stop ${effect.timer} ${effect.branch}`;
    case 'unanswered':
    case 'done':
      return effect.kind;
  }
}

function isTimer(text: string): boolean {
  return /^(wait|stop) /.test(text);
}

function play(
  targets: string[],
  options: Partial<SearchOptions>,
  events: SearchEvent[],
): { steps: string[][]; timers: string[][] } {
  let search = searchOf(targets, {
    isInvite: true,
    isSimultaneous: false,
    followRedirects: false,
    ...options,
  });
  const steps: string[][] = [];
  const timers: string[][] = [];
  for (const event of [{ kind: 'start' } as const, ...events]) {
    const [next, effects] = stepSearch(search, event);
    search = next;
    const texts = effects.map(describe);
    steps.push(texts.filter((text) => !isTimer(text)));
    timers.push(texts.filter(isTimer));
  }
  return { steps, timers };
}

const cancelled: SearchEvent = { kind: 'cancelled' };

interface Row {
  name: string;
  targets?: string[];
  options?: Partial<SearchOptions>;
  events: SearchEvent[];
  want: string[][];
}

const rows: Row[] = [
  {
    name: '100 is not forwarded, other provisionals are',
    events: [response(0, 100), response(0, 180), response(0, 183)],
    want: [['forward 0 a'], [], ['reply 180'], ['reply 183']],
  },
  {
    name: 'a 2xx ends the search; its retransmissions pass',
    events: [response(0, 200), response(0, 200)],
    want: [['forward 0 a'], ['reply 200', 'report 0 200', 'done'], ['reply 200']],
  },
  {
    name: 'serial: the next target after a failure, the best failure at the end',
    events: [response(0, 486), response(1, 404)],
    want: [['forward 0 a'], ['report 0 486', 'forward 1 b'], ['report 1 404', 'reply 486', 'done']],
  },
  {
    name: 'serial: a challenge ends the search',
    events: [response(0, 407)],
    want: [['forward 0 a'], ['report 0 407', 'reply 407', 'done']],
  },
  {
    name: 'serial: 6xx ends the search',
    events: [response(0, 603)],
    want: [['forward 0 a'], ['report 0 603', 'reply 603', 'done']],
  },
  {
    name: 'serial: a silent target is given up on and the next is tried; its late 2xx still counts',
    options: { provisionalTimeout: 1000 },
    events: [
      { kind: 'timeout', branch: 0, timer: 'provisional' },
      response(1, 180),
      response(0, 200),
    ],
    want: [
      ['forward 0 a'],
      ['cancel 0', 'forward 1 b'],
      ['reply 180'],
      ['reply 200', 'report 0 200', 'cancel 1', 'done'],
    ],
  },
  {
    name: 'a provisional timeout after a response means nothing',
    options: { provisionalTimeout: 1000 },
    events: [response(0, 100), { kind: 'timeout', branch: 0, timer: 'provisional' }],
    want: [['forward 0 a'], [], []],
  },
  {
    name: 'silence of all targets is a 408',
    targets: ['a'],
    options: { provisionalTimeout: 1000 },
    events: [{ kind: 'timeout', branch: 0, timer: 'provisional' }],
    want: [['forward 0 a'], ['cancel 0', 'unanswered', 'done']],
  },
  {
    name: 'timer C cancels a target that rings too long',
    targets: ['a'],
    events: [response(0, 180), { kind: 'timeout', branch: 0, timer: 'c' }, response(0, 487)],
    want: [['forward 0 a'], ['reply 180'], ['cancel 0', 'unanswered', 'done'], []],
  },
  {
    name: 'simultaneous: all at once, the first 2xx cancels the others',
    options: { isSimultaneous: true },
    events: [response(0, 180), response(1, 200), response(0, 487)],
    want: [
      ['forward 0 a', 'forward 1 b'],
      ['reply 180'],
      ['reply 200', 'report 1 200', 'cancel 0', 'done'],
      [],
    ],
  },
  {
    name: 'simultaneous: a second 2xx passes as well',
    options: { isSimultaneous: true },
    events: [response(0, 200), response(1, 200)],
    want: [
      ['forward 0 a', 'forward 1 b'],
      ['reply 200', 'report 0 200', 'cancel 1', 'done'],
      ['reply 200'],
    ],
  },
  {
    name: 'simultaneous: nothing final goes up before the last target has answered',
    options: { isSimultaneous: true },
    events: [response(0, 404), response(1, 486)],
    want: [['forward 0 a', 'forward 1 b'], ['report 0 404'], ['report 1 486', 'reply 404', 'done']],
  },
  {
    name: 'simultaneous: 6xx cancels the others and goes up when they are done',
    options: { isSimultaneous: true },
    events: [response(0, 603), response(1, 487)],
    want: [
      ['forward 0 a', 'forward 1 b'],
      ['report 0 603', 'cancel 1'],
      ['report 1 487', 'reply 603', 'done'],
    ],
  },
  {
    name: 'a CANCEL cancels what is pending and tries no more',
    events: [response(0, 180), cancelled, response(0, 487), cancelled],
    want: [['forward 0 a'], ['reply 180'], ['cancel 0'], ['report 0 487', 'reply 487', 'done'], []],
  },
  {
    name: 'a 2xx that crosses the CANCEL wins',
    events: [cancelled, response(0, 200)],
    want: [['forward 0 a'], ['cancel 0'], ['reply 200', 'report 0 200', 'done']],
  },
  {
    name: 'redirects are followed behind the other targets, each URI once',
    options: { followRedirects: true },
    events: [
      response(0, 302, [
        { name: 'Contact', value: '<sip:c@x>;q=0.5, <sip:d@x>;q=0.9, <tel:+1>' },
        { name: 'Contact', value: '<sip:c@x>' },
      ]),
      response(1, 404),
      response(2, 302, [{ name: 'Contact', value: '<sip:d@x>' }]),
      response(3, 486),
    ],
    want: [
      ['forward 0 a'],
      ['report 0 302', 'forward 1 b'],
      ['report 1 404', 'forward 2 sip:c@x'],
      ['report 2 302', 'forward 3 sip:d@x'],
      ['report 3 486', 'reply 302', 'done'],
    ],
  },
  {
    name: 'redirects that are not followed are failures',
    targets: ['a'],
    events: [response(0, 302, [{ name: 'Contact', value: '<sip:c@x>' }])],
    want: [['forward 0 a'], ['report 0 302', 'reply 302', 'done']],
  },
  {
    name: 'a request other than INVITE has one 2xx',
    options: { isInvite: false, isSimultaneous: true },
    events: [response(1, 200), response(0, 200)],
    want: [['forward 0 a', 'forward 1 b'], ['reply 200', 'report 1 200', 'cancel 0', 'done'], []],
  },
  {
    name: 'the same target twice is tried once',
    targets: ['a', 'a'],
    events: [response(0, 486)],
    want: [['forward 0 a'], ['report 0 486', 'reply 486', 'done']],
  },
];

test.each(rows)('$name', ({ targets = ['a', 'b'], options = {}, events, want }) => {
  expect(play(targets, options, events).steps).toEqual(want);
});

test('timer C runs from the start and again from every provisional but 100; both timers end', () => {
  const { timers } = play(['a'], { provisionalTimeout: 1000 }, [
    response(0, 100),
    response(0, 180),
    response(0, 200),
  ]);
  expect(timers).toEqual([
    ['wait c 0 185000', 'wait provisional 0 1000'],
    ['stop provisional 0'],
    ['stop provisional 0', 'wait c 0 185000'],
    ['stop provisional 0', 'stop c 0'],
  ]);
});

test('no timer is left when the search is over, whatever happened', () => {
  let seed = 3;
  const next = (limit: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % limit;
  };
  const statuses = [100, 180, 183, 200, 302, 401, 486, 503, 603];
  for (let round = 0; round < 3000; round++) {
    const options = {
      isInvite: next(2) === 0,
      isSimultaneous: next(2) === 0,
      followRedirects: next(2) === 0,
      provisionalTimeout: 500,
    };
    const events = Array.from({ length: 12 }, (): SearchEvent => {
      const kind = next(8);
      if (kind === 0) return cancelled;
      const branch = next(3);
      if (kind === 1)
        return { kind: 'timeout', branch, timer: next(2) === 0 ? 'c' : 'provisional' };
      return response(branch, statuses[next(statuses.length)] ?? 200);
    });
    const { steps, timers } = play(['a', 'b', 'c'], options, events);
    const running = new Set<string>();
    for (const text of timers.flat()) {
      const [verb, timer, branch] = text.split(' ');
      if (verb === 'wait') running.add(`${timer} ${branch}`);
      else running.delete(`${timer} ${branch}`);
    }
    const flat = steps.flat();
    expect(flat.includes('done') ? [...running] : []).toEqual([]);
    expect(flat.filter((text) => text === 'done').length).toBeLessThanOrEqual(1);
    const finals = flat.filter((text) => /^(reply [3-6]|unanswered)/.test(text));
    expect(finals.length).toBeLessThanOrEqual(1);
  }
});
