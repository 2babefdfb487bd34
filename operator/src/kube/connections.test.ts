import { expect, test } from 'vitest';
import type { Access } from './access.ts';
import { Connections } from './connections.ts';

function access(fingerprint: string): Access {
  return {
    server: new URL('https://127.0.0.1:1'),
    namespace: 'default',
    headers: {},
    tls: {},
    proxy: undefined,
    fingerprint,
  };
}

test('all requests share a pool, watches have their own, and new certificates make both anew', async () => {
  const connections = new Connections();
  const requests = connections.pool(access('a'), 'requests');
  expect(connections.pool(access('a'), 'requests')).toBe(requests);
  expect(connections.pool(access('a'), 'watches')).not.toBe(requests);
  const renewed = connections.pool(access('b'), 'requests');
  expect(renewed).not.toBe(requests);
  await expect(
    requests.request({ origin: 'https://127.0.0.1:1', path: '/', method: 'GET' }),
  ).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' });
  await Promise.all([connections.close(), connections.close()]);
});
