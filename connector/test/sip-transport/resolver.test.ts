import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import { resolveUri } from '../../src/sip/resolve/resolve.ts';
import { systemResolver } from '../../src/sip/resolve/resolver.ts';

test('names of the hosts file are found by the system resolver', async () => {
  expect(await systemResolver.addresses('localhost', 4)).toContain('127.0.0.1');
  const options = {
    resolver: systemResolver,
    random: Math.random,
    clock: systemClock,
    timeout: 2000,
    protocols: ['udp'],
    families: [4],
  } as const;
  expect(await resolveUri(parseSipUri('sip:localhost:5080')!, options)).toEqual({
    kind: 'targets',
    targets: [{ protocol: 'udp', address: '127.0.0.1', port: 5080 }],
  });
});
