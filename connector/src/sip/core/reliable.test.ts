import { expect, test } from 'vitest';
import { expectNothingLeft, hangUp, lose, pair } from '../../../test/sip/pair.ts';
import { sdp } from '../../../test/sip/phone.ts';
import { header } from '../message/headers.ts';

const supported = 'Supported: 100rel';
const required = 'Require: 100rel';

async function ringing(...extra: string[]) {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const { dialog } = await caller.invite('2', ...extra);
  await clock.advanceAsync(20);
  wire.take();
  callee.take();
  return { ...given, dialog, invite: callee.last('INVITE') };
}

test('a reliable provisional is repeated until its PRACK, which the application answers', async () => {
  const given = await ringing(supported);
  const { clock, wire, caller, callee, dialog, invite } = given;
  await callee.answer(invite, 183, { body: sdp, extra: [required] });
  await clock.advanceAsync(2_000);
  expect(wire.take()).toEqual(['2>1 183 INVITE', '2>1 183 INVITE', '2>1 183 INVITE']);
  expect(caller.take()).toEqual(['183 INVITE']);
  const prack = await caller.within(dialog, 'PRACK');
  const rseq = header(caller.responses[0]!.message, 'rseq');
  const cseq = header(invite.message, 'cseq');
  expect(prack.text.toString()).toContain(`RAck: ${rseq} ${cseq}\r\n`);
  await clock.advanceAsync(20);
  const seen = callee.last('PRACK');
  expect(seen.dialog).toBe(dialog);
  expect(seen.transaction).not.toBe(invite.transaction);
  await callee.answer(seen, 200);
  await callee.answer(invite, 200, { body: sdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(4_000);
  expect(wire.take()).toEqual(['1>2 PRACK', '2>1 200 PRACK', '2>1 200 INVITE', '1>2 ACK']);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('the next one and the 2xx wait until the one before is confirmed', async () => {
  const given = await ringing(supported);
  const { clock, wire, caller, callee, dialog, invite } = given;
  const first = await callee.answer(invite, 180, { extra: [required] });
  await callee.answer(invite, 183, { extra: [required] });
  await callee.answer(invite, 200, { body: sdp });
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['2>1 180 INVITE']);
  await caller.within(dialog, 'PRACK');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('PRACK'), 200);
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 PRACK', '2>1 183 INVITE', '2>1 200 PRACK']);
  await caller.within(dialog, 'PRACK');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('PRACK'), 200);
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 PRACK', '2>1 200 INVITE', '2>1 200 PRACK']);
  expect(first.text.toString()).toContain('RSeq: ');
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('reliable provisionals get through loss, each seen once and in order', async () => {
  const given = await ringing(supported);
  const { clock, wire, caller, callee, dialog, invite } = given;
  callee.onRequest = (request) => {
    if (request.message.method === 'PRACK') void callee.answer(request, 200);
  };
  caller.onResponse = ({ message }) => {
    if (header(message, 'rseq') !== undefined) void caller.within(dialog, 'PRACK');
  };
  wire.fate = lose('2>1 183 INVITE', 2);
  await callee.answer(invite, 183, { extra: [required] });
  await clock.advanceAsync(5_000);
  wire.fate = lose('1>2 PRACK', 2);
  await callee.answer(invite, 180, { extra: [required] });
  await clock.advanceAsync(5_000);
  expect(caller.take()).toEqual(['183 INVITE', '200 PRACK', '180 INVITE', '200 PRACK']);
  await callee.answer(invite, 486);
  await expectNothingLeft(given);
});

test('a caller that did not offer it cannot be sent one; the INVITE stays open', async () => {
  const { callee, invite } = await ringing();
  await expect(callee.answer(invite, 183, { extra: [required] })).rejects.toThrow(
    'Remote endpoint does not support 100rel',
  );
  await expect(callee.answer(invite, 183)).resolves.toBeDefined();
});

test('no PRACK for 32 s: 504', async () => {
  const given = await ringing(supported);
  const { clock, caller, callee, invite } = given;
  await callee.answer(invite, 183, { extra: [required] });
  await clock.advanceAsync(33_000);
  expect(caller.take()).toEqual(['183 INVITE', '504 INVITE', 'ended']);
  expect(callee.take()).toEqual(['ended']);
  await expectNothingLeft(given);
});

test('a PRACK that confirms nothing: 481', async () => {
  const given = await ringing(supported);
  const { clock, wire, caller, callee, dialog, invite } = given;
  await callee.answer(invite, 183, { extra: [required] });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'PRACK');
  await caller.within(dialog, 'PRACK');
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['2>1 183 INVITE', '1>2 PRACK', '1>2 PRACK', '2>1 481 PRACK']);
});

test('there is nothing to confirm without a reliable provisional', async () => {
  const given = await ringing(supported);
  const { clock, caller, callee, dialog, invite } = given;
  await callee.answer(invite, 180);
  await clock.advanceAsync(20);
  await expect(caller.within(dialog, 'PRACK')).rejects.toThrow(
    'unable to find IIP when sending PRACK',
  );
});

test('an UPDATE in the early dialog has a transaction of its own', async () => {
  const given = await ringing(supported);
  const { clock, caller, callee, dialog, invite } = given;
  await callee.answer(invite, 180);
  await clock.advanceAsync(20);
  await caller.within(dialog, 'UPDATE', { body: sdp });
  await clock.advanceAsync(20);
  const update = callee.last('UPDATE');
  expect(update.dialog).toBe(dialog);
  await callee.answer(update, 200, { body: sdp });
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['180 INVITE', '200 UPDATE']);
  await callee.answer(invite, 486);
  await expectNothingLeft(given);
});

test('a caller that requires it gets every provisional reliably', async () => {
  const given = await ringing(required);
  const { clock, caller, callee, dialog, invite } = given;
  const sent = await callee.answer(invite, 180);
  expect(sent.text.toString()).toContain('Require: 100rel\r\nRSeq: ');
  await clock.advanceAsync(20);
  await caller.within(dialog, 'PRACK');
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['PRACK']);
});
