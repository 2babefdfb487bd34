import { expect, test } from 'vitest';
import { expectNothingLeft, hangUp, pair, talking } from '../../../test/sip/pair.ts';
import { otherSdp, sdp } from '../../../test/sip/phone.ts';
import { header } from '../message/headers.ts';

test('a re-INVITE whose 2xx nobody acknowledges gets its ACK in time, and the call stays', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(9_000);
  expect(wire.take()).not.toContain('1>2 ACK');
  await clock.advanceAsync(60_000);
  const passed = wire.take();
  expect(passed).toContain('1>2 ACK');
  expect(passed).not.toContain('1>2 BYE');
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a re-INVITE that asked for an offer waits for the application to the end', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20_000);
  expect(wire.take()).not.toContain('1>2 ACK');
  await clock.advanceAsync(20_000);
  // The far end has waited as long, and began to wait earlier.
  expect(caller.take()).toContain('BYE');
  await caller.answer(caller.last('BYE'), 200);
  await expectNothingLeft(given);
});

test('a new re-INVITE acknowledges the one before it first, under the CSeq of that', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given);
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  const first = callee.last('INVITE');
  await callee.answer(first, 200, { body: sdp });
  await clock.advanceAsync(20);
  wire.take();
  await caller.within(dialog, 'INVITE', { body: sdp });
  await clock.advanceAsync(20);
  const sent = wire.messages.filter(
    ({ from, message }) => from === '1' && message.kind === 'request',
  );
  const sequence = Number.parseInt(header(first.message, 'cseq') ?? '', 10);
  expect(sent.map(({ message }) => header(message, 'cseq'))).toEqual([
    `${sequence} ACK`,
    `${sequence + 1} INVITE`,
  ]);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  await clock.advanceAsync(20);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a forsaken call gets ACK and BYE at once', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const { dialog } = await caller.invite('2');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  caller.agent.forsake(dialog);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual(['INVITE', 'ACK', 'BYE', 'ended']);
  await callee.answer(callee.last('BYE'), 200);
  await expectNothingLeft(given);
});

test('forsaking leaves alone a call that is acknowledged; ending it says why', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given);
  caller.agent.forsake(dialog);
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual([]);
  caller.agent.endDialog(dialog, 'Application lost');
  await clock.advanceAsync(20);
  const bye = callee.last('BYE');
  expect(header(bye.message, 'reason')).toBe('SIP;cause=200;text="Application lost"');
  await callee.answer(bye, 200);
  await expectNothingLeft(given);
});

test('a 2xx of no transaction in a known dialog is acknowledged', async () => {
  const given = pair();
  const { clock, wire, caller } = given;
  const dialog = await talking(given);
  const invite = given.callee.last('INVITE').message;
  // Long after the transaction is over, as after a restart.
  await clock.advanceAsync(100_000);
  wire.take();
  const headersOf = (name: string) => `${name}: ${header(invite, name) ?? ''}`;
  const [, local = ''] = dialog.split(';from-tag=');
  expect(local).not.toBe('');
  const ok = given.caller.responses.find(({ message }) => message.status === 200)?.message;
  wire.inject(
    '1',
    [
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKof-another-process',
      headersOf('From'),
      `To: ${ok && header(ok, 'to')}`,
      headersOf('Call-ID'),
      headersOf('CSeq'),
      'Content-Length: 0',
    ],
    '2',
  );
  await clock.advanceAsync(20);
  expect(wire.take()).toEqual(['1>2 ACK']);
  expect(caller.take()).toEqual([]);
  await hangUp(given, dialog);
});
