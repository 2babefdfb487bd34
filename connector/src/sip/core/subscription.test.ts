import { expect, test } from 'vitest';
import { expectNothingLeft, pair } from '../../../test/sip/pair.ts';

async function subscribed() {
  const given = pair();
  const { clock, caller, callee } = given;
  const { dialog } = await caller.send('SUBSCRIBE', '2', 'Event: presence', 'Expires: 60');
  await clock.advanceAsync(20);
  const ok = await callee.answer(callee.last('SUBSCRIBE'), 202, { extra: ['Expires: 60'] });
  expect(ok.dialog).toBe(dialog);
  await clock.advanceAsync(20);
  return { ...given, dialog };
}

test('SUBSCRIBE makes a dialog for NOTIFYs, the last of which ends it', async () => {
  const given = await subscribed();
  const { clock, wire, caller, callee, dialog } = given;
  expect(caller.responses[0]?.dialog).toBe(dialog);
  await callee.within(dialog, 'NOTIFY', { extra: ['Subscription-State: active'] });
  await clock.advanceAsync(20);
  await caller.answer(caller.last('NOTIFY'), 200);
  await clock.advanceAsync(20);
  await callee.within(dialog, 'NOTIFY', {
    extra: ['Subscription-State: terminated;reason=timeout'],
  });
  await clock.advanceAsync(20);
  expect(caller.last('NOTIFY').dialog).toBe(dialog);
  await caller.answer(caller.last('NOTIFY'), 200);
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['202 SUBSCRIBE', 'NOTIFY', 'NOTIFY', 'ended']);
  expect(callee.take()).toEqual(['SUBSCRIBE', '200 NOTIFY', '200 NOTIFY', 'ended']);
  expect(wire.log).toHaveLength(6);
  await expectNothingLeft(given);
});

test('a NOTIFY that comes before the response makes the dialog', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  wire.fate = (_, line) => (line === '2>1 200 SUBSCRIBE' ? [200] : [10]);
  const { dialog } = await caller.send('SUBSCRIBE', '2', 'Event: presence', 'Expires: 60');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('SUBSCRIBE'), 200);
  await callee.within(dialog, 'NOTIFY', { extra: ['Subscription-State: active'] });
  await clock.advanceAsync(50);
  expect(caller.take()).toEqual(['NOTIFY']);
  expect(caller.last('NOTIFY').dialog).toBe(dialog);
  await caller.answer(caller.last('NOTIFY'), 200);
  await clock.advanceAsync(200);
  expect(caller.take()).toEqual(['200 SUBSCRIBE']);
  expect(caller.agent.load().dialogs).toBe(1);
});

test('a subscription that nobody refreshes or ends runs out', async () => {
  const given = await subscribed();
  await given.clock.advanceAsync(91_000);
  expect(given.caller.ended).toEqual([]);
  await given.clock.advanceAsync(3_000);
  expect(given.caller.ended).toEqual([given.dialog]);
  await expectNothingLeft(given);
});

test('a refused SUBSCRIBE leaves nothing', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  await caller.send('SUBSCRIBE', '2', 'Event: presence');
  await clock.advanceAsync(20);
  await callee.answer(callee.last('SUBSCRIBE'), 489);
  await clock.advanceAsync(20);
  expect(caller.take()).toEqual(['489 SUBSCRIBE', 'ended']);
  await expectNothingLeft(given);
});

test('a NOTIFY about a REFER sent outside of dialogs is new to the application', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  await caller.send('REFER', '2', 'Refer-To: <sip:x@192.0.2.9>');
  await clock.advanceAsync(20);
  const refer = callee.last('REFER').message;
  const value = (name: string) => refer.headers.find((each) => each.name === name)?.value;
  wire.inject(
    '1',
    [
      'NOTIFY sip:192.0.2.1 SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKn',
      'From: <sip:you@192.0.2.2>;tag=n',
      `To: ${value('From')}`,
      `Call-ID: ${value('Call-ID')}`,
      'CSeq: 1 NOTIFY',
      'Event: refer',
    ],
    '2',
  );
  expect(caller.last('NOTIFY')).toMatchObject({ dialog: '', local: { address: '192.0.2.1' } });
});
