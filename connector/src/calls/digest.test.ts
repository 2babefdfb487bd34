import { expect, test } from 'vitest';
import { challengesOf, type DigestRequest, digestAnswer } from './digest.ts';

/** The answer to the first challenge that is known. */
function answer(header: string, request: DigestRequest): string | undefined {
  const [challenge] = challengesOf(header);
  return challenge && digestAnswer(challenge, request);
}

// The example of RFC 7616 §3.9.1, with its nonces.
const mufasa = {
  credentials: { username: 'Mufasa', password: 'Circle of Life' },
  method: 'GET',
  uri: '/dir/index.html',
  clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};
const common =
  'realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

test.each([
  { algorithm: 'MD5', want: '8ca523f5e9506fed4657c9700eebdbec' },
  {
    algorithm: 'SHA-256',
    want: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  },
])('the $algorithm example of RFC 7616 comes out', ({ algorithm, want }) => {
  expect(answer(`Digest ${common}, algorithm=${algorithm}`, mufasa)).toContain(
    `response="${want}"`,
  );
});

test('a challenge without qop is answered as RFC 2069 did', () => {
  const value = answer(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    {
      ...mufasa,
      credentials: { username: 'Mufasa', password: 'CircleOfLife' },
    },
  );
  expect(value).toContain('response="1949323746fe6a43ef61f9606e7febea"');
  expect(value).not.toContain('nc=');
});

test('of several challenges the first that is known is answered', () => {
  const value = answer(
    'Digest realm="a", nonce="n1", algorithm=SHA-512-256, qop="auth",Digest realm="b", nonce="n2", algorithm=MD5, qop="auth"',
    mufasa,
  );
  expect(value).toContain('realm="b"');
  expect(value).toContain('nonce="n2"');
});

test.each([
  '',
  'Basic realm="x"',
  'Digest realm="x"',
  'Digest realm="x", nonce="n", qop="auth-int"',
])('"%s" cannot be answered', (challenge) => {
  expect(answer(challenge, mufasa)).toBeUndefined();
});

test('a quote in the user name stays inside its quotes', () => {
  const value = answer('Digest realm="x", nonce="n"', {
    ...mufasa,
    credentials: { username: 'a"b', password: 'p' },
  });
  expect(value).toContain(String.raw`username="a\"b"`);
});
