import { expect, test } from 'vitest';
import { expectNothingLeft, hangUp, pair, talking } from '../../../test/sip/pair.ts';
import { otherSdp, sdp } from '../../../test/sip/phone.ts';
import { header } from '../message/headers.ts';

const timer = 'Supported: timer';

test('the caller that asks to refresh does so at half time, and neither application sees it on its side', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given, {
    offer: [timer, 'Session-Expires: 200;refresher=uac'],
  });
  const answer = caller.responses[0]!.message;
  expect(header(answer, 'session-expires')).toBe('200;refresher=uac');
  expect(header(answer, 'require')).toBe('timer');
  callee.onRequest = (request) => {
    if (request.message.method === 'INVITE') void callee.answer(request, 200, { body: sdp });
  };
  await clock.advanceAsync(99_900);
  expect(wire.take()).toEqual([]);
  await clock.advanceAsync(200);
  expect(wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE', '2>1 200 INVITE', '1>2 ACK']);
  const refresh = callee.last('INVITE').message;
  expect(refresh.body).toEqual(sdp);
  expect(header(refresh, 'session-expires')).toBe('200;refresher=uac');
  expect(header(refresh, 'min-se')).toBe('90');
  expect(caller.take()).toEqual([]);
  await clock.advanceAsync(1_000_000);
  expect(caller.take()).toEqual([]);
  callee.take();
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('the callee refreshes where the caller knows no timers', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given, { answer: ['Session-Expires: 100'] });
  caller.onRequest = (request) => {
    if (request.message.method === 'INVITE') void caller.answer(request, 200, { body: otherSdp });
  };
  await clock.advanceAsync(50_100);
  expect(wire.take()).toEqual(['2>1 INVITE', '1>2 100 INVITE', '1>2 200 INVITE', '2>1 ACK']);
  expect(callee.take()).toEqual([]);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a peer that does not refresh in time gets BYE, which the application hears of', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  await talking(given, { offer: [timer, 'Session-Expires: 90;refresher=uac'] });
  // The caller's refreshes never arrive.
  given.wire.fate = (_, line) => (line === '1>2 INVITE' ? [] : [10]);
  await clock.advanceAsync(61_000);
  expect(callee.take()).toEqual(['server BYE', 'ended']);
  const bye = callee.serverRequests[0]!.message;
  expect(header(bye, 'reason')).toBe('SIP;cause=200;text="Session timer expired"');
  expect(caller.take()).toEqual(['server BYE', 'ended']);
  await expectNothingLeft(given);
});

test('a refresh that nobody answers ends the call', async () => {
  const given = pair();
  const { clock, wire, caller } = given;
  await talking(given, { offer: [timer, 'Session-Expires: 1800;refresher=uac'] });
  wire.fate = (_, line) => (line === '1>2 INVITE' || line === '1>2 BYE' ? [] : [10]);
  await clock.advanceAsync(933_000);
  expect(caller.take()).toEqual(['server BYE', 'ended']);
});

test('a refresh that crosses another INVITE is tried again', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given, { offer: [timer, 'Session-Expires: 200;refresher=uac'] });
  let status = 491;
  callee.onRequest = (request) => {
    if (request.message.method !== 'INVITE') return;
    void callee.answer(request, status, status === 200 ? { body: sdp } : {});
    status = 200;
  };
  await clock.advanceAsync(100_100);
  expect(wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE', '2>1 491 INVITE', '1>2 ACK']);
  await clock.advanceAsync(2_000);
  expect(wire.take()).toEqual([]);
  await clock.advanceAsync(2_000);
  expect(wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE', '2>1 200 INVITE', '1>2 ACK']);
  expect(caller.take()).toEqual([]);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a refresh refused with 422 goes out again with what the peer asks for', async () => {
  const given = pair();
  const { clock, callee, wire } = given;
  const dialog = await talking(given, { offer: [timer, 'Session-Expires: 200;refresher=uac'] });
  const intervals: (string | undefined)[] = [];
  callee.onRequest = (request) => {
    if (request.message.method !== 'INVITE') return;
    intervals.push(header(request.message, 'session-expires'));
    if (intervals.length === 1) void callee.answer(request, 422, { extra: ['Min-SE: 600'] });
    else void callee.answer(request, 200, { body: sdp });
  };
  await clock.advanceAsync(100_100);
  expect(intervals).toEqual(['200;refresher=uac', '600;refresher=uac']);
  await clock.advanceAsync(299_000);
  expect(intervals).toHaveLength(2);
  await clock.advanceAsync(2_000);
  expect(intervals).toHaveLength(3);
  wire.take();
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test.each(['INVITE', 'UPDATE'])(
  '%s with an interval below 90 s: 422 with Min-SE',
  async (method) => {
    const given = pair();
    const { clock, caller, callee } = given;
    const dialog = await talking(given);
    await caller.within(dialog, method, { extra: [timer, 'Session-Expires: 89'] });
    await clock.advanceAsync(20);
    expect(callee.take()).toEqual([]);
    expect(caller.take()).toEqual([`422 ${method}`]);
    expect(header(caller.responses.at(-1)!.message, 'min-se')).toBe('90');
  },
);

test('an initial INVITE with an interval below 90 s: 422', async () => {
  const { clock, caller, callee } = pair();
  await caller.invite('2', timer, 'Session-Expires: 60');
  await clock.advanceAsync(20);
  expect(callee.take()).toEqual([]);
  expect(caller.take()).toEqual(['422 INVITE', 'ended']);
});

test('a re-INVITE of the application keeps the timer going without saying so', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given, { offer: [timer, 'Session-Expires: 200;refresher=uac'] });
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  const invite = callee.last('INVITE');
  expect(header(invite.message, 'session-expires')).toBe('200;refresher=uac');
  await callee.answer(invite, 200, { body: sdp });
  await clock.advanceAsync(20);
  await caller.within(dialog, 'ACK');
  callee.onRequest = (request) => {
    if (request.message.method === 'INVITE') void callee.answer(request, 200, { body: sdp });
  };
  await clock.advanceAsync(101_000);
  // The description that was agreed last.
  expect(callee.last('INVITE').message.body).toEqual(otherSdp);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});

test('a re-INVITE that fails leaves the description in force', async () => {
  const given = pair();
  const { clock, caller, callee } = given;
  const dialog = await talking(given, { offer: [timer, 'Session-Expires: 200;refresher=uac'] });
  await caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(20);
  await callee.answer(callee.last('INVITE'), 488);
  await clock.advanceAsync(101_000);
  expect(callee.last('INVITE').message.body).toEqual(sdp);
});

test('a re-INVITE of the application waits for a refresh that is under way', async () => {
  const given = pair();
  const { clock, wire, caller, callee } = given;
  const dialog = await talking(given, { offer: [timer, 'Session-Expires: 200;refresher=uac'] });
  await clock.advanceAsync(100_020);
  expect(wire.take()).toEqual(['1>2 INVITE', '2>1 100 INVITE']);
  const sent = caller.within(dialog, 'INVITE', { body: otherSdp });
  await clock.advanceAsync(1_000);
  expect(wire.take()).toEqual([]);
  await callee.answer(callee.last('INVITE'), 200, { body: sdp });
  await clock.advanceAsync(20);
  expect((await sent).text.toString()).toContain('INVITE');
  expect(wire.take()).toEqual(['2>1 200 INVITE', '1>2 ACK', '1>2 INVITE', '2>1 100 INVITE']);
});

test('a call without Session-Expires never ends by itself', async () => {
  const given = pair();
  const dialog = await talking(given);
  await given.clock.advanceAsync(24 * 3_600_000);
  expect(given.wire.take()).toEqual([]);
  await hangUp(given, dialog);
  await expectNothingLeft(given);
});
