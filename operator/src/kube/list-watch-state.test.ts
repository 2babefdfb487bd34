import { array, assert, constantFrom, nat, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Failure,
  type ListWatchEffect,
  type ListWatchEvent,
  type ListWatchState,
  newListWatch,
  step,
} from './list-watch-state.ts';

const failure: Failure = {
  status: 500,
  reason: 'InternalError',
  retryAfter: undefined,
  inStream: false,
};

function failed(over: Partial<Failure> = {}): ListWatchEvent {
  return { type: 'failed', failure: { ...failure, ...over } };
}

const page: ListWatchEvent = { type: 'page', version: '10', continueToken: undefined };

/** Events with the time they come at; returns the last state and the effects of the last event. */
function play(
  ...events: readonly (readonly [number, ListWatchEvent])[]
): readonly [ListWatchState, readonly ListWatchEffect[]] {
  let state = newListWatch;
  let effects: readonly ListWatchEffect[] = [];
  for (const [now, event] of events) [state, effects] = step(state, event, { now, random: 0.5 });
  return [state, effects];
}

const start = [0, { type: 'start' }] as const;
const watching = [start, [0, page]] as const;

test('a list goes page by page, then its version is watched', () => {
  const more = { type: 'page', version: '10', continueToken: 'c' } as const;
  expect(play(start)[1]).toEqual([{ type: 'list', limit: 500, continueToken: undefined }]);
  expect(play(start, [0, more])[1]).toEqual([{ type: 'list', limit: 500, continueToken: 'c' }]);
  expect(play(start, [0, more], [0, page])[1]).toEqual([
    { type: 'replace' },
    { type: 'watch', version: '10', timeoutSeconds: 450 },
  ]);
});

test('pages that expired under way are fetched in one piece', () => {
  const more = { type: 'page', version: '10', continueToken: 'c' } as const;
  const [, effects] = play(start, [0, more], [1, failed({ status: 410, reason: 'Expired' })]);
  expect(effects).toEqual([{ type: 'list', limit: 0, continueToken: undefined }]);
});

function seen(version: string, isBookmark = false): ListWatchEvent {
  return { type: 'seen', version, isBookmark };
}

test('news is delivered, what is late or told twice is not', () => {
  expect(play(...watching, [1, seen('11')])[1]).toEqual([{ type: 'deliver' }]);
  expect(play(...watching, [1, seen('11')], [1, seen('11')])[1]).toEqual([]);
  expect(play(...watching, [1, seen('11')], [1, seen('9')])[1]).toEqual([]);
  expect(play(...watching, [1, seen('20', true)])[1]).toEqual([]);
});

test('a watch that ends goes on at once from the last bookmark', () => {
  const bookmark = { type: 'seen', version: '99', isBookmark: true } as const;
  expect(play(...watching, [1, bookmark], [60_000, { type: 'ended' }])[1]).toEqual([
    { type: 'watch', version: '99', timeoutSeconds: 450 },
  ]);
});

test('a watch that ends at once waits, longer each time', () => {
  const delays: number[] = [];
  let [state, effects] = play(...watching);
  for (let turn = 0; turn < 8; turn++) {
    [state, effects] = step(state, { type: 'ended' }, { now: 0, random: 0.5 });
    delays.push(...effects.map((effect) => (effect.type === 'wait' ? effect.delay : Number.NaN)));
    [state, effects] = step(state, { type: 'due' }, { now: 0, random: 0.5 });
  }
  expect(delays).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
});

test.each([
  { name: '410 of the request', over: { status: 410, reason: 'Gone' } },
  { name: '410 in the stream', over: { status: 410, reason: 'Expired', inStream: true } },
])('$name lists again at once', ({ over }) => {
  expect(play(...watching, [1, failed(over)])[1]).toEqual([
    { type: 'list', limit: 500, continueToken: undefined },
  ]);
});

test('410 right after the list waits, lest list and 410 chase each other', () => {
  const gone = failed({ status: 410, reason: 'Expired' });
  expect(play(...watching, [1, gone], [1, page], [1, gone])[1]).toEqual([
    { type: 'wait', delay: 1600 },
  ]);
});

test.each([
  { name: 'a reset', over: { status: 0, reason: 'ConnectionFailed' }, resumes: true },
  { name: 'silence', over: { status: 0, reason: 'TimedOut' }, resumes: false },
  { name: '500', over: { status: 500 }, resumes: true },
  { name: '401', over: { status: 401 }, resumes: true },
  { name: '429', over: { status: 429 }, resumes: true },
  { name: '403', over: { status: 403 }, resumes: false },
  { name: '404, the kind is gone', over: { status: 404 }, resumes: false },
  { name: '504, a version of the future', over: { status: 504 }, resumes: false },
  { name: 'an error in the stream', over: { status: 500, inStream: true }, resumes: false },
])('after $name it waits, and resumes: $resumes', ({ over, resumes }) => {
  const [state, effects] = play(...watching, [1, failed(over)]);
  expect(effects).toEqual([{ type: 'wait', delay: 800 }]);
  expect(step(state, { type: 'due' }, { now: 900, random: 0.5 })[1]).toMatchObject([
    { type: resumes ? 'watch' : 'list' },
  ]);
});

test('a watch that fails again and again ends in a list', () => {
  const turn = [
    [1, failed({ status: 0 })],
    [2, { type: 'due' }],
  ] as const;
  expect(play(...watching, ...turn, ...turn, ...turn, ...turn, ...turn)[1]).toMatchObject([
    { type: 'watch' },
  ]);
  expect(play(...watching, ...turn, ...turn, ...turn, ...turn, ...turn, ...turn)[1]).toMatchObject([
    { type: 'list' },
  ]);
});

test('a watch that lived well lets the next failure begin anew', () => {
  const reset = failed({ status: 0 });
  const [, effects] = play(
    ...watching,
    [1, reset],
    [2, { type: 'due' }],
    [3, reset],
    [4, { type: 'due' }],
    [20_000, reset],
  );
  expect(effects).toEqual([{ type: 'wait', delay: 800 }]);
});

test('the server may ask for more time than the backoff', () => {
  expect(play(start, [1, failed({ status: 429, retryAfter: 7000 })])[1]).toEqual([
    { type: 'wait', delay: 7000 },
  ]);
});

test('a relist ends the watch; while it fails already, there is one coming anyway', () => {
  expect(play(...watching, [1, { type: 'relist' }])[1]).toEqual([
    { type: 'abort' },
    { type: 'list', limit: 500, continueToken: undefined },
  ]);
  expect(play(...watching, [1, failed()], [2, { type: 'relist' }])[1]).toEqual([]);
});

test('after stop nothing happens, whatever comes', () => {
  const event = constantFrom<ListWatchEvent>(
    { type: 'start' },
    page,
    { type: 'ended' },
    failed(),
    { type: 'due' },
    { type: 'relist' },
    { type: 'seen', version: '12', isBookmark: false },
  );
  assert(
    property(array(event), array(event), (before, after) => {
      let state = newListWatch;
      const moment = { now: 0, random: 0 };
      for (const given of before) [state] = step(state, given, moment);
      let effects: readonly ListWatchEffect[];
      [state, effects] = step(state, { type: 'stop' }, moment);
      expect(effects).toEqual([{ type: 'abort' }]);
      for (const given of after) expect(step(state, given, moment)).toEqual([state, []]);
    }),
  );
});

test('whatever happens, exactly one thing runs or is waited for', () => {
  const event = constantFrom<ListWatchEvent>(
    page,
    { type: 'page', version: '10', continueToken: 'c' },
    { type: 'ended' },
    failed(),
    failed({ status: 410 }),
    failed({ status: 403, inStream: true }),
    { type: 'relist' },
    { type: 'due' },
  );
  const busy = new Set(['list', 'watch', 'wait']);
  assert(
    property(array(tuple(event, nat(20_000))), (events) => {
      let [state] = step(newListWatch, { type: 'start' }, { now: 0, random: 0.5 });
      let now = 0;
      for (const [given, passed] of events) {
        now += passed;
        const [next, effects] = step(state, given, { now, random: 0.5 });
        const begun = effects.filter(({ type }) => busy.has(type)).length;
        // A state that began nothing new is the one whose work still runs.
        expect(begun).toBe(effects.length === 0 ? 0 : 1);
        expect(['listing', 'watching', 'waiting']).toContain(next.phase);
        expect(begun === 1 || next.phase === state.phase).toBe(true);
        state = next;
      }
    }),
  );
});
