import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { createCounters } from './stats.ts';
import { defaultTransportLimits } from './transport-limits.ts';
import { WebSocketLink } from './web-socket-link.ts';

type Taken = (error?: Error) => void;

/** Keeps what is sent until the test lets the peer read it. */
class SlowWebSocket extends EventEmitter {
  readonly OPEN = WebSocket.OPEN;
  readyState: number = WebSocket.OPEN;
  readonly waiting: Taken[] = [];

  send(_bytes: Buffer, _options: object, taken: Taken): void {
    this.waiting.push(taken);
  }

  terminate(): void {
    this.readyState = WebSocket.CLOSED;
    for (const taken of this.waiting.splice(0)) taken(new Error('gone'));
    this.emit('close');
  }
}

function link() {
  const clock = new FakeClock();
  const peer = new SlowWebSocket();
  const made = new WebSocketLink({
    webSocket: peer as EventEmitter as WebSocket,
    socket: new Socket(),
    path: {
      remote: { protocol: 'ws', address: '192.0.2.1', port: 1024, connection: 'ws-1' },
      local: { protocol: 'ws', address: '192.0.2.9', port: 80 },
      isInbound: true,
    },
    shell: {
      limits: defaultTransportLimits,
      clock,
      log: silentLog,
      counters: createCounters(),
      user: { onMessage: () => undefined },
    },
  });
  return { clock, peer, made };
}

test('a client that goes on asking and reads nothing is cut off', async () => {
  const { clock, peer, made } = link();
  for (let second = 0; second < 6 && made.isOpen; second++) {
    peer.emit('message', Buffer.from('\r\n\r\n'));
    clock.advance(1_000);
  }
  expect(made.isOpen).toBe(false);
  await made.closed;
  expect(clock.pending).toBe(0);
});

test('one that reads slowly is not', () => {
  const { clock, peer, made } = link();
  for (let second = 0; second < 20; second++) {
    peer.emit('message', Buffer.from('\r\n\r\n'));
    peer.emit('message', Buffer.from('\r\n\r\n'));
    clock.advance(1_000);
    peer.waiting.shift()?.();
  }
  expect(made.isOpen).toBe(true);
  made.close('local');
});
