import { expect, test } from 'vitest';
import { received } from '../../test/calls/fake-signalling.ts';
import { sdpBodyOf } from './sdp-body.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n';
const multipart = [
  'preamble',
  '--frontier',
  'Content-Type: application/isup;version=x',
  '',
  'binary',
  '--frontier',
  'content-type: application/SDP',
  'Content-Disposition: session',
  '',
  sdp,
  '--frontier--',
  'epilogue',
].join('\r\n');

test.each([
  { name: 'plain SDP', type: 'application/sdp', body: sdp, want: { kind: 'sdp', sdp } },
  { name: 'upper case', type: 'Application/SDP;x=1', body: sdp, want: { kind: 'sdp', sdp } },
  { name: 'nothing', type: undefined, body: '', want: { kind: 'none' } },
  { name: 'another type', type: 'text/plain', body: 'hi', want: { kind: 'unsupported' } },
  { name: 'no type', type: undefined, body: sdp, want: { kind: 'unsupported' } },
  {
    name: 'SDP beside ISUP',
    type: 'multipart/mixed;boundary=frontier',
    body: multipart,
    want: { kind: 'sdp', sdp },
  },
  {
    name: 'a quoted boundary',
    type: 'multipart/mixed; boundary="frontier"',
    body: multipart,
    want: { kind: 'sdp', sdp },
  },
  {
    name: 'a multipart without SDP',
    type: 'multipart/mixed;boundary=frontier',
    body: multipart.replace('application/SDP', 'text/plain'),
    want: { kind: 'unsupported' },
  },
  {
    name: 'a multipart without boundary',
    type: 'multipart/mixed',
    body: multipart,
    want: { kind: 'unsupported' },
  },
])('$name is seen as $want.kind', ({ type, body, want }) => {
  const headers = type === undefined ? {} : { 'content-type': type };
  expect(sdpBodyOf(received({ headers, body }))).toEqual(want);
});

test('a compressed body is not supported', () => {
  const headers = { 'content-type': 'application/sdp', 'content-encoding': 'gzip' };
  expect(sdpBodyOf(received({ headers, body: 'x' })).kind).toBe('unsupported');
});
