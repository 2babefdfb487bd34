import { expect, test } from 'vitest';
import { received } from '../../test/calls/fake-signalling.ts';
import { sessionTimerAnswer, sessionTimerOffer } from './session-timer.ts';

test.each([
  {
    name: 'a peer that knows nothing of timers is refreshed by us',
    headers: {},
    want: { 'Session-Expires': '1800;refresher=uas' },
  },
  {
    name: 'a peer with timers and no wish refreshes',
    headers: { supported: 'replaces, timer' },
    want: { 'Session-Expires': '1800;refresher=uac', Require: 'timer' },
  },
  {
    name: 'its interval is kept',
    headers: { supported: 'timer', 'session-expires': '600' },
    want: { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
  },
  {
    name: 'its choice of us is kept',
    headers: { supported: 'timer', 'session-expires': '600;refresher=uas' },
    want: { 'Session-Expires': '600;refresher=uas' },
  },
  {
    name: 'its choice of itself is kept',
    headers: { supported: 'timer', 'session-expires': '600 ; Refresher=UAC' },
    want: { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
  },
  {
    name: 'an interval that is too short is lengthened',
    headers: { supported: 'timer', 'session-expires': '30;refresher=uas' },
    want: { 'Session-Expires': '90;refresher=uas' },
  },
  {
    name: 'an interval asked for by a proxy on behalf of a peer without timers is kept',
    headers: { 'session-expires': '1200' },
    want: { 'Session-Expires': '1200;refresher=uas' },
  },
  {
    name: 'a header that cannot be read counts as none',
    headers: { supported: 'timer', 'session-expires': 'soon' },
    want: { 'Session-Expires': '1800;refresher=uac', Require: 'timer' },
  },
])('$name', ({ headers, want }) => {
  expect(sessionTimerAnswer(received({ headers }), 1800)).toEqual(want);
});

test('an INVITE of ours asks for the interval and tells the shortest one', () => {
  expect(sessionTimerOffer(600)).toEqual({ 'Session-Expires': '600', 'Min-SE': '90' });
});
