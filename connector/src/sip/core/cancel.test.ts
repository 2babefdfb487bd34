import { expect, test } from 'vitest';
import { expectNothingLeft, pair } from '../../../test/sip/pair.ts';
import { Phone, sdp } from '../../../test/sip/phone.ts';
import { Wire } from '../../../test/sip/wire.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { header } from '../message/headers.ts';

test('CANCEL before any answer of the application: 200, 487, and the INVITE’s transaction without dialog', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const { transaction } = await caller.invite('2');
  await clock.advanceAsync(20);
  const cancel = await caller.agent.cancel(transaction, [
    { name: 'Reason', value: 'SIP;cause=200' },
  ]);
  expect(cancel.transaction).not.toBe(transaction);
  await clock.advanceAsync(30);
  expect(wire.take()).toEqual([
    '1>2 INVITE',
    '2>1 100 INVITE',
    '1>2 CANCEL',
    '2>1 200 CANCEL',
    '2>1 487 INVITE',
    '1>2 ACK',
  ]);
  expect(callee.take()).toEqual(['INVITE', 'CANCEL']);
  const seen = callee.last('CANCEL');
  expect(seen).toMatchObject({ dialog: '', transaction: callee.last('INVITE').transaction });
  expect(header(seen.message, 'reason')).toBe('SIP;cause=200');
  expect(caller.take()).toEqual(['487 INVITE', 'ended']);
  await expect(callee.answer(callee.last('INVITE'), 200)).rejects.toThrow(
    'Response not sent due to unknown transaction',
  );
  await expectNothingLeft(given);
});

test('CANCEL while it rings carries the dialog, which ends', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const { transaction, dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 180);
  await clock.advanceAsync(20);
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(40);
  expect(callee.last('CANCEL').dialog).toBe(dialog);
  expect(callee.take()).toEqual(['INVITE', 'CANCEL', 'ended']);
  expect(caller.take()).toEqual(['180 INVITE', '487 INVITE', 'ended']);
  await expectNothingLeft(given);
});

test('CANCEL is held until the first provisional', async () => {
  const given = pair();
  const { clock, wire, caller } = given;
  wire.fate = ({ from }) => (from === '2' ? [2_000] : [10]);
  const { transaction } = await caller.invite('2');
  await clock.advanceAsync(100);
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(1_000);
  expect(wire.log).not.toContain('1>2 CANCEL');
  await clock.advanceAsync(5_000);
  expect(wire.log).toContain('1>2 CANCEL');
  expect(caller.take()).toEqual(['487 INVITE', 'ended']);
  await expectNothingLeft(given);
});

test('CANCEL after the 200: answered, nothing for the application, the 200 goes on', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  wire.fate = (_, line) => (line === '2>1 200 INVITE' ? [600] : [10]);
  const { transaction, dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(590);
  expect(wire.take()).toEqual([
    '1>2 INVITE',
    '2>1 100 INVITE',
    '2>1 200 INVITE',
    '1>2 CANCEL',
    '2>1 200 CANCEL',
    '2>1 200 INVITE',
  ]);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['INVITE']);
  // The 200 crossed the CANCEL: after the ACK the server ends the call.
  expect(caller.take()).toEqual(['200 INVITE']);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['server BYE', 'ended']);
  expect(caller.serverRequests.map((each) => header(each.message, 'reason'))).toEqual([
    'SIP;cause=200;text="ACK-BYE due to cancel race condition"',
  ]);
  expect(callee.take()).toEqual(['ACK', 'BYE', 'ended']);
  await callee.answer(callee.last('BYE'), 200);
  await expectNothingLeft(given);
});

test('an INVITE that nobody ends after its CANCEL counts as cancelled after 32 s', async () => {
  const given = pair();
  const { clock, wire, caller } = given;
  wire.fate = (_, line) => (line.endsWith('CANCEL') || line.endsWith('487 INVITE') ? [] : [10]);
  const { transaction } = await caller.invite('2');
  await clock.advanceAsync(20);
  await caller.agent.cancel(transaction, []);
  await clock.advanceAsync(33_000);
  expect(caller.take()).toEqual(['487 INVITE', 'ended']);
  expect(caller.responses[0]?.trace.sizeBytes).toBe(0);
});

test('what is not under way cannot be cancelled', async () => {
  const { caller } = pair();
  await expect(caller.agent.cancel('gone', [])).rejects.toThrow(
    'unable to cancel unknown transaction id: gone',
  );
});

test('a CANCEL that finds nothing: 481', async () => {
  const { clock, wire, callee } = pair();
  wire.inject('2', [
    'CANCEL sip:you@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'From: <sip:a@b>;tag=1',
    'To: <sip:you@192.0.2.2>',
    'Call-ID: x',
    'CSeq: 1 CANCEL',
  ]);
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['2>1 481 CANCEL']);
  expect(callee.take()).toEqual([]);
});

test('a branch that is cancelled before it could be sent stays in', async () => {
  const clock = new FakeClock();
  const wire = new Wire(clock);
  const [caller, server, callee] = ['1', '5', '2'].map((name) => new Phone(wire, name, { clock }));
  server!.onRequest = ({ transaction }) => {
    const forwarding = server!.agent.proxy(transaction);
    const onResponse = forwarding.reply.bind(forwarding);
    forwarding.forward(forwarding.message, { nextHop: 'sip:192.0.2.2', onResponse }).cancel();
  };
  await caller!.invite('5');
  await clock.advanceAsync(50);
  expect(caller!.take()).toEqual(['487 INVITE', 'ended']);
  expect(callee!.take()).toEqual([]);
});
