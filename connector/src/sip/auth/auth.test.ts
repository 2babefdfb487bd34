import { expect, test } from 'vitest';
import { parseAuth } from './auth-value.ts';
import { authorize, strongestChallenge } from './authorize.ts';
import { parseChallenge } from './challenge.ts';
import { parseCredentials } from './credentials.ts';
import { checkNonce, createNonce } from './nonce.ts';
import { ReplayGuard } from './replay-guard.ts';
import { type Authority, challenge, verify } from './verify.ts';

const key = { secret: Buffer.alloc(32, 1), lifetime: 60_000 };
const now = Date.UTC(2026, 0, 1);
const salt = Buffer.alloc(8, 2);
const alice = { username: 'alice', password: 's"ecret' };

const authority = (more: Partial<Authority> = {}): Authority => ({
  realm: 'example.com',
  key,
  algorithms: ['SHA-256', 'MD5'],
  guard: new ReplayGuard({ lifetime: 120_000, capacity: 100 }),
  passwordOf: (username) => (username === alice.username ? alice.password : undefined),
  ...more,
});

const request = { method: 'INVITE', uri: 'sip:b@example.com', cnonce: 'abc', nonceCount: 1 };

function answer(
  values: readonly string[],
  more: Partial<typeof request & typeof alice> = {},
): string {
  return authorize(strongestChallenge(values)!, { ...alice, ...more }, { ...request, ...more });
}

test('a client answers the strongest challenge, and the server accepts it', () => {
  const server = authority();
  const values = challenge(server, { now, salt });
  expect(values.map((value) => parseChallenge(value)?.algorithm)).toEqual(['SHA-256', 'MD5']);
  const credentials = answer(values.toReversed());
  expect(parseCredentials(credentials)?.algorithm).toBe('SHA-256');
  expect(verify(server, [credentials], { method: 'INVITE', now })).toEqual({
    kind: 'accepted',
    username: 'alice',
  });
});

test('MD5 alone works for old phones', () => {
  const server = authority({ algorithms: ['MD5'] });
  const credentials = answer(challenge(server, { now, salt }));
  expect(verify(server, [credentials], { method: 'INVITE', now }).kind).toBe('accepted');
});

test('credentials serve once; a higher count serves again', () => {
  const server = authority();
  const values = challenge(server, { now, salt });
  const kinds = [1, 1, 2, 5, 3].map(
    (nonceCount) =>
      verify(server, [answer(values, { nonceCount })], { method: 'INVITE', now }).kind,
  );
  expect(kinds).toEqual(['accepted', 'stale', 'accepted', 'accepted', 'stale']);
});

test.each([
  { what: 'no credentials', values: () => [], want: { kind: 'refused', reason: 'none' } },
  {
    what: 'another scheme',
    values: () => ['NoOneKnowsThisScheme opaque-data=here'],
    want: { kind: 'refused', reason: 'malformed' },
  },
  {
    what: 'a wrong password',
    values: (given: string[]) => [answer(given, { password: 'x' })],
    want: { kind: 'refused', reason: 'password' },
  },
  {
    what: 'an unknown user, even with an empty password',
    values: (given: string[]) => [answer(given, { username: 'bob', password: '' })],
    want: { kind: 'refused', reason: 'password' },
  },
  {
    what: 'another method',
    values: (given: string[]) => [answer(given, { method: 'REGISTER' })],
    want: { kind: 'refused', reason: 'password' },
  },
  {
    what: 'another realm',
    values: () => [answer(challenge(authority({ realm: 'other' }), { now, salt }))],
    want: { kind: 'refused', reason: 'malformed' },
  },
  {
    what: 'a nonce of another key',
    values: () => {
      const other = authority({ key: { ...key, secret: Buffer.alloc(32, 9) } });
      return [answer(challenge(other, { now, salt }))];
    },
    want: { kind: 'refused', reason: 'nonce' },
  },
  {
    what: 'an algorithm that was not offered',
    values: () => [answer(challenge(authority({ algorithms: ['SHA-512-256'] }), { now, salt }))],
    want: { kind: 'refused', reason: 'malformed' },
  },
  {
    what: 'a nonce that is too old',
    values: () => [answer(challenge(authority(), { now: now - 60_001, salt }))],
    want: { kind: 'stale' },
  },
  {
    what: 'a nonce that is too old and a wrong password',
    values: () => [answer(challenge(authority(), { now: now - 60_001, salt }), { password: 'x' })],
    want: { kind: 'refused', reason: 'password' },
  },
  {
    what: 'credentials for another realm in front of ours',
    values: (given: string[]) => [
      answer(challenge(authority({ realm: 'other' }), { now, salt })),
      answer(given),
    ],
    want: { kind: 'accepted', username: 'alice' },
  },
])('$what: $want.kind', ({ values, want }) => {
  const server = authority();
  const given = challenge(server, { now, salt });
  expect(verify(server, values(given), { method: 'INVITE', now })).toEqual(want);
});

test('a changed digest URI does not pass', () => {
  const server = authority();
  const credentials = answer(challenge(server, { now, salt })).replace('sip:b@', 'sip:c@');
  expect(verify(server, [credentials], { method: 'INVITE', now }).kind).toBe('refused');
});

test('stale is said to the client', () => {
  const [value = ''] = challenge(authority(), { now, salt, isStale: true });
  expect(parseChallenge(value)?.isStale).toBe(true);
  expect(value).toMatch(
    /^Digest realm="example.com", nonce="[\w-]+", qop="auth", algorithm=SHA-256, stale=true$/,
  );
});

test('every changed character makes a nonce forged', () => {
  const nonce = createNonce(key, now, salt);
  expect(checkNonce(key, nonce, now)).toBe('valid');
  for (let at = 0; at < nonce.length; at++) {
    const other = nonce[at] === 'A' ? 'B' : 'A';
    const changed = nonce.slice(0, at) + other + nonce.slice(at + 1);
    expect(checkNonce(key, changed, now)).toBe('forged');
  }
  expect(['', 'x', `${nonce}=`, `${nonce}A`].map((each) => checkNonce(key, each, now))).toEqual([
    'forged',
    'forged',
    'forged',
    'forged',
  ]);
});

test('a nonce survives a small step of the clock back, and not a large one', () => {
  const nonce = createNonce(key, now, salt);
  expect(checkNonce(key, nonce, now - 1000)).toBe('valid');
  expect(checkNonce(key, nonce, now - 60_001)).toBe('stale');
});

test('the guard forgets what is too old, and the oldest for a new one when it is full', () => {
  const guard = new ReplayGuard({ lifetime: 100, capacity: 3 });
  for (const nonce of ['a', 'b', 'c']) expect(guard.use(nonce, 1, 0)).toBe(true);
  expect(guard.use('a', 1, 50)).toBe(false);
  expect(guard.use('d', 1, 60)).toBe(true);
  expect([guard.size, guard.use('b', 1, 60)]).toEqual([3, false]);
  expect(guard.use('e', 0, 500)).toBe(false);
  expect(guard.size).toBe(0);
});

test.each([
  ['Digest realm="a", nonce="b"', { algorithm: 'MD5', hasQop: false }],
  [
    'digest realm=a,nonce=b,qop="auth-int, AUTH",algorithm=sha-256',
    { algorithm: 'SHA-256', hasQop: true },
  ],
  ['Digest realm="a, \\"b\\"", nonce="c", opaque="", x=y', { realm: 'a, "b"', opaque: '' }],
  ['Digest realm="a", nonce="b", algorithm=MD5-sess', { isSession: true }],
])('%s is a challenge', (text, want) => {
  expect(parseChallenge(text)).toMatchObject(want);
});

test.each([
  '',
  'Digest',
  'Basic realm="a"',
  'Digest realm="a"',
  'Digest nonce="b"',
  'Digest realm="a", nonce=""',
  'Digest realm="a", nonce="b", qop="auth-int"',
  'Digest realm="a", nonce="b", algorithm=AKAv1-MD5',
  'Digest realm="a", realm="b", nonce="c"',
  'Digest realm="a, nonce="b"',
  'Digest realm="a",, nonce="b"',
  'Digest realm="a" nonce="b"',
])('%j is no challenge we can answer', (text) => {
  expect(parseChallenge(text)).toBeUndefined();
});

test('nothing is answered where nothing is supported', () => {
  expect(strongestChallenge(['Basic realm="a"', 'Digest realm="a"'])).toBeUndefined();
});

test('a challenge without qop is answered as RFC 2069 has it, opaque repeated', () => {
  const value = answer(['Digest realm="r", nonce="n", opaque="o"']);
  expect([...parseAuth(value)!.params.keys()]).toEqual([
    'username',
    'realm',
    'nonce',
    'uri',
    'response',
    'algorithm',
    'opaque',
  ]);
  expect(parseCredentials(value)).toBeUndefined();
});

test('credentials are formatted as the grammar wants them', () => {
  const value = answer(['Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'], {
    nonceCount: 26,
  });
  expect(value.replace(/response="[0-9a-f]{64}"/, 'response=…')).toBe(
    'Digest username="alice", realm="r", nonce="n", uri="sip:b@example.com", response=…, ' +
      'algorithm=SHA-256, qop=auth, nc=0000001a, cnonce="abc"',
  );
});
