import { expect, test } from 'vitest';
import { changesOf, fixedSettings } from './changes.ts';

const before = {
  sip: { listen: [{ port: 5060 }], auth: { realm: 'a', algorithms: ['MD5'], users: ['x'] } },
  rtp: { ports: { first: 20016, last: 20255 } },
  http: { listen: { port: 8080 } },
  agent: { greeting: 'Hello.' },
};

test.each([
  { name: 'nothing', after: before, want: [] },
  { name: 'what can change', after: { ...before, agent: { greeting: 'Hi.' } }, want: [] },
  {
    name: 'equal values',
    after: { ...before, http: { listen: { port: 8080 } } },
    want: [],
  },
  {
    name: 'users of a realm',
    after: { ...before, sip: { ...before.sip, auth: { ...before.sip.auth, users: ['y'] } } },
    want: [],
  },
  {
    name: 'an address and the ports',
    after: { ...before, rtp: { ports: { first: 30_000, last: 30_001 } }, http: {} },
    want: ['rtp', 'http.listen'],
  },
  {
    name: 'a section that is gone',
    after: { ...before, sip: { listen: before.sip.listen } },
    want: ['sip.auth.realm', 'sip.auth.algorithms'],
  },
])('a start is needed for $want where $name changed', ({ after, want }) => {
  expect(changesOf(before, after, fixedSettings)).toEqual(want);
});
