import { expect, test } from 'vitest';
import { expectNothingLeft, hangUp, pair, talking } from '../../../test/sip/pair.ts';
import { otherSdp, sdp } from '../../../test/sip/phone.ts';
import { header } from '../message/headers.ts';

test('re-INVITEs that cross: both get 491', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await callee.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(50);
  expect(wire.take()).toEqual([
    '1>2 INVITE',
    '2>1 INVITE',
    '2>1 491 INVITE',
    '1>2 491 INVITE',
    '1>2 ACK',
    '2>1 ACK',
  ]);
  expect(caller.take()).toEqual(['491 INVITE']);
  expect(callee.take()).toEqual(['491 INVITE']);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a re-INVITE of the application while another is under way: 491 without a word on the wire', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  const sent = await caller.within(dialog, 'INVITE', { body: sdp });
  expect(caller.take()).toEqual([]);
  await clock.advanceAsync(1);
  expect(caller.responses.at(-1)).toMatchObject({
    transaction: sent.transaction,
    message: { status: 491 },
  });
  await callee.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(1);
  expect(callee.take()).toEqual(['INVITE', '491 INVITE']);
  expect(wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE']);
  await callee.answer(callee.last('INVITE'), 488);
  await clock.advanceAsync(20);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('an INVITE that comes while an earlier one is unanswered: 500 with Retry-After', async () => {
  const given = pair();
  const { clock, wire, callee } = given;
  const dialog = await talking(given);
  const bye = callee.last('ACK').message;
  const injected = (sequence: number) =>
    wire.inject('2', [
      'INVITE sip:192.0.2.2 SIP/2.0',
      `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx${sequence}`,
      `From: ${header(bye, 'from')}`,
      `To: ${header(bye, 'to')}`,
      `Call-ID: ${header(bye, 'call-id')}`,
      `CSeq: ${sequence} INVITE`,
      'Contact: <sip:192.0.2.1>',
    ]);
  injected(2 ** 30);
  injected(2 ** 30 + 1);
  await clock.advanceAsync(20);
  expect(wire.log.slice(0, 2)).toEqual(['2>1 100 INVITE', '2>1 500 INVITE']);
  const refusal = wire.messages[1]?.message;
  expect(refusal && Number(header(refusal, 'retry-after'))).toBeLessThanOrEqual(10);
  await callee.answer(callee.last('INVITE'), 488);
  await callee.within(dialog, 'BYE');
});

test('a request with a lower CSeq than the last: 500', async () => {
  const given = pair();
  const { clock, wire, callee } = given;
  await talking(given);
  const { message } = callee.last('ACK');
  wire.inject('2', [
    'INFO sip:192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKold',
    `From: ${header(message, 'from')}`,
    `To: ${header(message, 'to')}`,
    `Call-ID: ${header(message, 'call-id')}`,
    'CSeq: 1 INFO',
  ]);
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['2>1 500 INFO']);
  expect(callee.take()).toEqual([]);
});

test('a BYE while our re-INVITE is unanswered cancels it first', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('BYE'), 200);
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual([
    '1>2 INVITE',
    '2>1 100 INVITE',
    '1>2 CANCEL',
    '1>2 BYE',
    '2>1 200 CANCEL',
    '2>1 487 INVITE',
    '1>2 ACK',
    '2>1 200 BYE',
  ]);
  expect(caller.take()).toEqual(['487 INVITE', '200 BYE', 'ended']);
  expect(callee.take()).toEqual(['INVITE', 'CANCEL', 'BYE', 'ended']);
  await expectNothingLeft(given);
});

test('BYEs that cross end the call on both sides', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'BYE');
  await callee.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  await caller.answer(caller.last('BYE'), 200);
  await callee.answer(callee.last('BYE'), 200);
  await clock.advanceAsync(20);
  expect(caller.ended).toEqual([dialog]);
  expect(callee.ended).toEqual([dialog]);
  await expectNothingLeft(given);
});

test('UPDATEs that cross: 491; a second one of the same side: 500', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'UPDATE');
  await callee.within(dialog, 'UPDATE');
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 UPDATE', '2>1 UPDATE', '2>1 491 UPDATE', '1>2 491 UPDATE']);
  await caller.within(dialog, 'UPDATE');
  await caller.within(dialog, 'UPDATE');
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 UPDATE', '1>2 UPDATE', '2>1 500 UPDATE']);
  await callee.answer(callee.last('UPDATE'), 200);
  await clock.advanceAsync(20);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a BYE answered with 401 leaves the dialog, so that it can be sent again', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('BYE'), 401);
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['401 BYE']);
  await caller.within(dialog, 'BYE');
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['481 BYE', 'ended']);
  await expect(caller.within(dialog, 'INFO')).rejects.toThrow(
    'unable to find dialog for dialog id provided',
  );
  await expectNothingLeft(given);
});
