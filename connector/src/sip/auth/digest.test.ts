import { expect, test } from 'vitest';
import { algorithmOf, type DigestInput, digestOf } from './digest.ts';

const rfc7616 = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  qop: { cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', nc: '00000001' },
};

const rfc2617 = {
  algorithm: 'MD5',
  username: 'Mufasa',
  realm: 'testrealm@host.com',
  password: 'Circle Of Life',
  method: 'GET',
  uri: '/dir/index.html',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
} as const;

const vectors: [string, DigestInput, string][] = [
  ['RFC 7616 §3.9.1, MD5', { ...rfc7616, algorithm: 'MD5' }, '8ca523f5e9506fed4657c9700eebdbec'],
  [
    'RFC 7616 §3.9.1, SHA-256',
    { ...rfc7616, algorithm: 'SHA-256' },
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  ],
  [
    'RFC 2617 §3.5',
    { ...rfc2617, qop: { cnonce: '0a4f113b', nc: '00000001' } },
    '6629fae49393a05397450978507c4ef1',
  ],
  ['RFC 2069 style', rfc2617, '670fd8c2df070c60b045671b8b24ff02'],
];

test.each(vectors)('%s', (_name, input, want) => {
  expect(digestOf(input)).toBe(want);
});

test.each([
  [undefined, { algorithm: 'MD5', isSession: false }],
  ['md5', { algorithm: 'MD5', isSession: false }],
  ['SHA-256-sess', { algorithm: 'SHA-256', isSession: true }],
  ['SHA-512-256', { algorithm: 'SHA-512-256', isSession: false }],
  ['AKAv1-MD5', undefined],
])('algorithm %s', (text, want) => {
  expect(algorithmOf(text)).toEqual(want);
});
