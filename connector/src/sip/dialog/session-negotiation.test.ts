import { expect, test } from 'vitest';
import {
  answerSession,
  isIntervalTooSmall,
  refreshHeaders,
  termsOfAnswer,
} from './session-negotiation.ts';

/** Lines to a message. */
function message(...lines: string[]) {
  return {
    headers: lines.map((line) => {
      const [name = '', value = ''] = line.split(': ');
      return { name, value };
    }),
  };
}

const timer = 'Supported: timer';

test.each([
  { name: 'nobody wants one', request: [timer], response: [], want: undefined },
  {
    name: 'the caller names itself',
    request: [timer, 'Session-Expires: 1800;refresher=uac'],
    response: [],
    want: '1800;refresher=uac',
  },
  {
    name: 'the caller names us',
    request: [timer, 'Session-Expires: 1800;refresher=uas'],
    response: [],
    want: '1800;refresher=uas',
  },
  {
    name: 'the caller names nobody',
    request: [timer, 'Session-Expires: 1800'],
    response: [],
    want: '1800;refresher=uac',
  },
  {
    name: 'the caller knows no timers',
    request: ['Session-Expires: 1800'],
    response: [],
    want: '1800;refresher=uas',
  },
  {
    name: 'only the application wants one',
    request: [],
    response: ['Session-Expires: 300'],
    want: '300;refresher=uas',
  },
  {
    name: 'the application says who',
    request: [timer],
    response: ['Session-Expires: 300;refresher=uas'],
    want: '300;refresher=uas',
  },
  {
    name: 'the caller’s word counts',
    request: [timer, 'Session-Expires: 300;refresher=uac'],
    response: ['Session-Expires: 300;refresher=uas'],
    want: '300;refresher=uac',
  },
  {
    name: 'too short an interval',
    request: [],
    response: ['Session-Expires: 30'],
    want: '90;refresher=uas',
  },
  {
    name: 'below Min-SE',
    request: [timer, 'Min-SE: 600'],
    response: ['Session-Expires: 300'],
    want: '600;refresher=uac',
  },
])('who is called agrees: $name', ({ request, response, want }) => {
  const answer = answerSession(message(...request), message(...response));
  const value = answer.headers.find((each) => each.name === 'Session-Expires')?.value;
  expect(value).toBe(want);
  expect(answer.terms?.isRefresher).toBe(want?.endsWith('uas'));
  expect(answer.headers.some((each) => each.name === 'Require')).toBe(
    want?.endsWith('uac') ?? false,
  );
});

test.each([
  { lines: [], want: undefined },
  { lines: ['Session-Expires: nonsense'], want: undefined },
  {
    lines: ['Session-Expires: 1800;refresher=uac'],
    want: { intervalSeconds: 1800, isRefresher: true },
  },
  {
    lines: ['Session-Expires: 1800;refresher=uas'],
    want: { intervalSeconds: 1800, isRefresher: false },
  },
  { lines: ['Session-Expires: 1800'], want: { intervalSeconds: 1800, isRefresher: true } },
  { lines: ['Session-Expires: 10'], want: { intervalSeconds: 90, isRefresher: true } },
])('who called reads $lines', ({ lines, want }) => {
  expect(termsOfAnswer(message(...lines))).toEqual(want);
});

test.each([
  { lines: [timer, 'Session-Expires: 89'], want: true },
  { lines: [timer, 'Session-Expires: 90'], want: false },
  // Who knows no timers would not understand the 422.
  { lines: ['Session-Expires: 30'], want: false },
  { lines: [timer], want: false },
])('$lines is too small: $want', ({ lines, want }) => {
  expect(isIntervalTooSmall(message(...lines))).toBe(want);
});

test.each([
  { isRefresher: true, want: ['timer', '300;refresher=uac', '90'] },
  { isRefresher: false, want: ['timer', '300;refresher=uas', '90'] },
])('who refreshes is named from the side of the request: $want', ({ isRefresher, want }) => {
  const headers = refreshHeaders({ intervalSeconds: 300, isRefresher });
  expect(headers.map((each) => each.value)).toEqual(want);
});
