import { expect, test } from 'vitest';
import type { Header, SipResponse } from '../sip/message/message.ts';
import { bestResponse } from './best-response.ts';

function answer(status: number, headers: Header[] = []): SipResponse {
  return { kind: 'response', status, reason: 'x', headers, body: Buffer.alloc(0) };
}

test.each([
  [[486, 603, 404], 603],
  [[500, 486], 486],
  [[486, 302], 302],
  [[486, 404], 486],
  [[486, 401], 401],
  [[503], 500],
  [[503, 504], 500],
  [[408, 484], 484],
])('of %j it is %d', (statuses, want) => {
  expect(bestResponse(statuses.map((status) => answer(status)))?.status).toBe(want);
});

test('of none there is none', () => {
  expect(bestResponse([])).toBeUndefined();
});

test('the challenges of all targets go up together', () => {
  const first = { name: 'Proxy-Authenticate', value: 'Digest realm="a", nonce="1"' };
  const second = { name: 'WWW-Authenticate', value: 'Digest realm="b", nonce="2"' };
  const best = bestResponse([answer(407, [first]), answer(486), answer(401, [second])]);
  expect(best?.headers).toEqual([first, second]);
});
