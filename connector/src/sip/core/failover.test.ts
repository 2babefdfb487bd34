import { expect, test } from 'vitest';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { headers } from '../message/headers.ts';

function withTwoTargets() {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', {
    clock,
    // What is addressed to the first may go to the second.
    targets: (host) =>
      (host === '192.0.2.2' ? [host, '192.0.2.3'] : [host]).map((address) => ({
        protocol: 'udp',
        address,
        port: 5060,
      })),
  });
  return { clock, wire, caller };
}

function branches(wire: Wire): string[] {
  return wire.messages
    .filter(({ message }) => message.kind === 'request' && message.method !== 'ACK')
    .map(
      ({ message, to }) =>
        `${to} ${headers(message, 'via')[0]?.replace(/.*branch=([^;]+).*/, '$1')}`,
    );
}

test('an address that cannot be reached: the next, with a branch of its own', async () => {
  const { clock, wire, caller } = withTwoTargets();
  const second = new Phone(wire, '3', { clock });
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(20);
  await second.answer(second.last('MESSAGE'), 200);
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['200 MESSAGE']);
  expect(wire.log).toEqual(['1>3 MESSAGE', '3>1 200 MESSAGE']);
});

test.each(['INVITE', 'MESSAGE'])('%s that nobody answers for 32 s: the next', async (method) => {
  const { clock, wire, caller } = withTwoTargets();
  const first = new Phone(wire, '2', { clock });
  const second = new Phone(wire, '3', { clock });
  wire.fate = ({ to }) => (to === '2' ? [] : [10]);
  await caller.send(method, '2');
  await clock.advanceAsync(32_100);
  expect(first.take()).toEqual([]);
  await second.answer(second.last(method), 200, { body: sdp });
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual([`200 ${method}`]);
  expect(new Set(branches(wire)).size).toBe(2);
});

test('a 503: the next; the application sees one answer', async () => {
  const { clock, wire, caller } = withTwoTargets();
  const first = new Phone(wire, '2', { clock });
  const second = new Phone(wire, '3', { clock });
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await first.answer(first.last('INVITE'), 503);
  await clock.advanceAsync(30);
  await second.answer(second.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['200 INVITE']);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  expect(second.take()).toEqual(['INVITE', 'ACK']);
});

test('the last 503 is the application’s', async () => {
  const { clock, wire, caller } = withTwoTargets();
  const phones = ['2', '3'].map((name) => new Phone(wire, name, { clock }));
  for (const phone of phones) phone.onRequest = (request) => void phone.answer(request, 503);
  await caller.send('MESSAGE', '2');
  await clock.advanceAsync(100);
  expect(caller.take()).toEqual(['503 MESSAGE']);
  expect(wire.log).toHaveLength(4);
});

test('once it rang, or was cancelled, no other address is tried', async () => {
  const { clock, wire, caller } = withTwoTargets();
  const first = new Phone(wire, '2', { clock });
  const second = new Phone(wire, '3', { clock });
  await caller.invite('2');
  await clock.advanceAsync(20);
  await first.answer(first.last('INVITE'), 180);
  await first.answer(first.last('INVITE'), 503);
  await clock.advanceAsync(50);
  expect(caller.take()).toEqual(['180 INVITE', '503 INVITE', 'ended']);
  wire.fate = ({ to }) => (to === '2' ? [] : [10]);
  const { transaction } = await caller.invite('2');
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(40_000);
  expect(caller.take()).toEqual(['408 INVITE', 'ended']);
  expect(second.take()).toEqual([]);
});
