import { expect, test } from 'vitest';
import { authorize } from './digest.ts';

const credentials = { user: 'Mufasa', password: 'Circle of Life' };
const common = { method: 'GET', uri: '/dir/index.html', cnonce: '' };

/** The examples of RFC 7616 §3.9.1 and RFC 2617 §3.5. */
test.each([
  ['MD5', 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', '8ca523f5e9506fed4657c9700eebdbec'],
  [
    'SHA-256',
    'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  ],
])('%s with qop answers as the RFC does', (algorithm, cnonce, response) => {
  const value = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  const answer = authorize(credentials, { ...common, value, cnonce });
  expect(answer).toContain(`response="${response}"`);
  expect(answer).toContain('qop=auth, nc=00000001');
  expect(answer).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
});

test('without qop the old formula is used', () => {
  const value = 'Digest realm="r", nonce="n"';
  const answer = authorize({ user: 'u', password: 'p' }, { ...common, value });
  expect(answer).not.toContain('qop');
  expect(answer).toContain('algorithm=MD5');
});
