import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { Connection } from './connection.ts';
import { createCounters } from './stats.ts';
import { defaultTransportLimits } from './transport-limits.ts';

/** A connection over a socket that leads nowhere. */
function connection() {
  const clock = new FakeClock();
  const counters = createCounters();
  const socket = new Socket();
  const link = new Connection(
    socket,
    {
      remote: { protocol: 'tls', address: '192.0.2.1', port: 1024, connection: 'tls-1' },
      local: { protocol: 'tls', address: '192.0.2.9', port: 5061 },
      isInbound: true,
    },
    {
      limits: defaultTransportLimits,
      clock,
      log: silentLog,
      counters,
      user: { onMessage: () => undefined },
    },
  );
  return { clock, counters, socket, link };
}

const message = (start: string) =>
  Buffer.from(
    [
      start,
      'Via: SIP/2.0/TLS a.test;branch=z9hG4bKx',
      'From: <sip:a@a.test>;tag=1',
      'To: <sip:b@b.test>',
      'Call-ID: c',
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );

const invite = message('INVITE sip:b@b.test SIP/2.0');

test('a connection that is to end and carries nothing is closed when it has been still', () => {
  const { clock, link } = connection();
  link.retire();
  clock.advance(999);
  expect(link.isOpen).toBe(true);
  clock.advance(1_000);
  expect(link.isOpen).toBe(false);
});

test('a transaction keeps it for 5 minutes at most', async () => {
  const { clock, counters, socket, link } = connection();
  socket.emit('data', invite);
  link.retire();
  clock.advance(299_000);
  expect(link.isOpen).toBe(true);
  clock.advance(1_500);
  expect(link.isOpen).toBe(false);
  await link.closed;
  expect(counters.closed.retired).toBe(1);
  expect(clock.pending).toBe(0);
});

test('so does one transaction after the other', () => {
  const { clock, socket, link } = connection();
  link.retire();
  for (let at = 0; at < 100; at++) {
    socket.emit('data', Buffer.from(invite.toString().replace('bKx', `bK${at}`)));
    clock.advance(2_900);
  }
  expect(link.isOpen).toBe(true);
  clock.advance(11_000);
  expect(link.isOpen).toBe(false);
});

test('the final response of the last transaction ends it', () => {
  const { clock, socket, link } = connection();
  socket.emit('data', invite);
  link.retire();
  clock.advance(60_000);
  expect(link.isOpen).toBe(true);
  link.send(message('SIP/2.0 200 OK')).catch(() => undefined);
  clock.advance(2_000);
  expect(link.isOpen).toBe(false);
});
