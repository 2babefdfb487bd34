import { expect, test } from 'vitest';
import { hangUp, type Pair, talking } from '../../../test/sip/pair.ts';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';

/** The callee takes new requests from nobody. */
function guarded() {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const caller = new Phone(wire, '1', { clock });
  const callee = new Phone(wire, '2', {
    clock,
    options: {
      accepts: () => false,
      auth: { realm: 'parley', passwordOf: () => undefined },
    },
  });
  return { clock, wire, caller, callee };
}

test.each(['INVITE', 'OPTIONS', 'MESSAGE', 'REGISTER'])(
  'a stranger gets no answer to %s, not even a challenge',
  async (method) => {
    const { clock, wire, caller, callee } = guarded();
    if (method === 'INVITE') await caller.invite('2');
    else await caller.send(method, '2');
    await clock.advanceAsync(5000);
    expect(callee.take()).toEqual([]);
    expect(wire.log.filter((line) => line.startsWith('2>'))).toEqual([]);
    expect(callee.agent.strangers()).toBeGreaterThan(3);
    expect(callee.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
  },
);

test('a stranger is told nothing of a request that cannot be parsed', async () => {
  const { clock, wire, callee } = guarded();
  wire.inject('2', ['INVITE sip:you@192.0.2.2 SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.1', 'CSeq: x']);
  await clock.advanceAsync(1000);
  expect([wire.startLines, callee.agent.strangers()]).toEqual([[], 1]);
});

test('who has lost access keeps the calls that are up', async () => {
  const { given, caller, callee, accepted, clock } = open();
  const dialog = await talking(given);
  accepted.clear();
  await caller.within(dialog, 'INVITE', { body: sdp });
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  await hangUp(given, dialog);
  expect(callee.agent.strangers()).toBe(0);
  await caller.invite('2');
  await clock.advanceAsync(100);
  expect(callee.agent.strangers()).toBe(1);
});

test('a call that rings can be cancelled and its refusal acknowledged from outside', async () => {
  const { caller, callee, accepted, clock } = open();
  const { transaction } = await caller.invite('2');
  await clock.advanceAsync(300);
  accepted.clear();
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(20_000);
  expect(callee.take()).toEqual(['INVITE', 'CANCEL']);
  expect(callee.agent.strangers()).toBe(0);
  await clock.advanceAsync(40_000);
  expect(callee.agent.load()).toEqual({ transactions: 0, dialogs: 0, unanswered: 0 });
});

test('answers to our own requests come from anywhere', async () => {
  const { caller, callee, clock } = guarded();
  await callee.invite('1');
  await clock.advanceAsync(20);
  await caller.answer(caller.last('INVITE'), 486);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['486 INVITE', 'ended']);
});

test('a tag that names no dialog of ours opens no door', async () => {
  const { clock, wire, callee } = guarded();
  wire.inject('2', [
    'BYE sip:you@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx',
    'From: <sip:me@192.0.2.1>;tag=a',
    'To: <sip:you@192.0.2.2>;tag=b',
    'Call-ID: c',
    'CSeq: 2 BYE',
    'Max-Forwards: 70',
    'Content-Length: 0',
  ]);
  await clock.advanceAsync(1000);
  expect([wire.startLines, callee.agent.strangers()]).toEqual([[], 1]);
});

test('the connection of a stranger is closed', async () => {
  const { clock, wire, caller } = guarded();
  wire.connection = 'tcp-1';
  await caller.invite('2');
  await clock.advanceAsync(100);
  expect(wire.disconnected).toEqual(['tcp-1']);
});

/** The callee takes new requests from `accepted`, which the test may change. */
function open() {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const accepted = new Set(['192.0.2.1']);
  const caller = new Phone(wire, '1', { clock });
  const callee = new Phone(wire, '2', {
    clock,
    options: { accepts: (address) => accepted.has(address) },
  });
  const given: Pair = { clock, wire, caller, callee };
  return { ...given, accepted, given };
}
