import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { MediaPlane } from '../../src/media/media-plane.ts';
import { audioPort } from './peer.ts';

/** The system's clock, moved on by what the test says. */
function movableClock(): Clock & { moved: number } {
  return {
    moved: 0,
    now() {
      return systemClock.now() + this.moved;
    },
    wall: () => systemClock.wall(),
    after: (delay, task) => systemClock.after(delay, task),
  };
}

function planeOn(ports: { min: number; max: number }, clock: Clock = systemClock): MediaPlane {
  return new MediaPlane({ address: '127.0.0.1', ports, clock, random: () => 0, log: silentLog });
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

const codecs = ['PCMU'] as const;

test('ports are taken up to the last, rest after a call and come back', async () => {
  const clock = movableClock();
  const plane = planeOn({ min: 28_500, max: 28_503 }, clock);
  const first = await plane.createEndpoint({ id: 'a', codecs });
  const second = await plane.createEndpoint({ id: 'b', codecs });
  expect([audioPort(first.offer()), audioPort(second.offer())]).toEqual([28_500, 28_502]);
  await expect(plane.createEndpoint({ id: 'c', codecs })).rejects.toMatchObject({
    code: 'RTP_PORTS_EXHAUSTED',
  });
  first.start();
  await first.close();
  await expect(plane.createEndpoint({ id: 'c', codecs })).rejects.toThrow('no RTP port is free');
  clock.moved += 30_000;
  const third = await plane.createEndpoint({ id: 'c', codecs });
  expect(audioPort(third.offer())).toBe(28_500);
  expect(plane.stats()).toMatchObject({ endpoints: 2, availablePorts: 0, portPairs: 2 });
  await plane.close();
  expect(plane.stats().endpoints).toBe(0);
});

test('the port of an offer that was refused can be taken at once', async () => {
  const plane = planeOn({ min: 28_530, max: 28_531 });
  const g729 =
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n';
  for (let call = 0; call < 3; call++) {
    const endpoint = await plane.createEndpoint({ id: 'a', codecs });
    expect(() => endpoint.answer(g729)).toThrow('no common codec');
    await endpoint.close();
  }
  expect(plane.stats()).toMatchObject({ availablePorts: 1 });
  await plane.close();
});

test('the port of a call that ended before any media can be taken at once', async () => {
  const plane = planeOn({ min: 28_540, max: 28_541 });
  for (let call = 0; call < 3; call++) {
    const endpoint = await plane.createEndpoint({ id: 'a', codecs });
    endpoint.offer();
    await endpoint.close();
  }
  expect(plane.stats()).toMatchObject({ availablePorts: 1 });
  await plane.close();
});

test.each([28_510, 28_511])(
  'a pair of which %i is taken by another program is passed over',
  async (taken) => {
    const other = await bound(taken);
    const plane = planeOn({ min: 28_510, max: 28_513 });
    const endpoint = await plane.createEndpoint({ id: 'a', codecs });
    expect(audioPort(endpoint.offer())).toBe(28_512);
    await plane.close();
    other.close();
    await once(other, 'close');
  },
);

test('after close the ports are free and nothing runs on', async () => {
  const plane = planeOn({ min: 28_520, max: 28_521 });
  const endpoint = await plane.createEndpoint({ id: 'a', codecs });
  endpoint.start();
  endpoint.play(Buffer.alloc(800));
  await endpoint.close();
  await endpoint.close();
  endpoint.play(Buffer.alloc(800));
  endpoint.start();
  const sockets = [await bound(28_520), await bound(28_521)];
  await wait(100);
  expect(endpoint.stats().packetsOut).toBe(0);
  for (const socket of sockets) socket.close();
});
