import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { ListenPoint, Remote, Transport } from '../transport/transport.ts';
import { LargeRequests } from './large-requests.ts';

const udp = { protocol: 'udp', address: '192.0.2.1', port: 5070 } as const;
const tcp = { ...udp, protocol: 'tcp' } as const;

function setup(...protocols: readonly ('udp' | 'tcp')[]) {
  const clock = new FakeClock();
  const points = protocols.map((protocol): ListenPoint => ({ ...udp, protocol }));
  const transport: Transport = {
    listenPoints: points,
    send: async () => undefined,
    disconnect: () => undefined,
    localFor: (remote) => points.find(({ protocol }) => protocol === remote.protocol),
    close: async () => undefined,
  };
  return { clock, large: new LargeRequests(transport, clock) };
}

test.each<{ nextHop: string; sizeBytes: number; remote: Remote; want?: Remote }>([
  { nextHop: 'sip:a@b.test', sizeBytes: 1_300, remote: udp },
  { nextHop: 'sip:a@b.test', sizeBytes: 1_301, remote: udp, want: tcp },
  { nextHop: 'sip:proxy.test;lr', sizeBytes: 1_301, remote: udp, want: tcp },
  { nextHop: 'sip:a@b.test;transport=udp', sizeBytes: 1_301, remote: udp },
  { nextHop: 'sip:a@b.test', sizeBytes: 1_301, remote: tcp },
])('to $nextHop, $sizeBytes bytes', ({ nextHop, sizeBytes, remote, want }) => {
  const { large } = setup('udp', 'tcp');
  expect(large.insteadOf(remote, nextHop, sizeBytes)).toEqual(want);
});

test('without a listen point for TCP it stays UDP', () => {
  expect(setup('udp').large.insteadOf(udp, 'sip:a@b.test', 2_000)).toBeUndefined();
});

test('a peer that refused TCP is not asked for 10 minutes', () => {
  const { clock, large } = setup('udp', 'tcp');
  large.refused(udp);
  clock.advance(599_999);
  expect(large.insteadOf(udp, 'sip:a@b.test', 2_000)).toBeUndefined();
  expect(large.insteadOf({ ...udp, port: 5080 }, 'sip:a@b.test', 2_000)).toBeDefined();
  clock.advance(1);
  expect(large.insteadOf(udp, 'sip:a@b.test', 2_000)).toEqual(tcp);
});
