import { expect, test } from 'vitest';
import { endOf, headers, hungUp, once, setUp, talking } from '../../test/app/faked-call.ts';
import { ConnectorError } from '../base/errors.ts';
import { dialCall } from './outbound.ts';

test('a call is answered when the session is open, and sound begins with the ACK', async () => {
  const parts = await setUp();
  const invite = await parts.invite();
  expect(invite.responses).toMatchObject([{ status: 180 }, { status: 200, body: 'answer to v=0' }]);
  expect([parts.told, parts.call.state]).toEqual([['open pcmu'], 'ringing']);
  parts.receive('ACK');
  expect(parts.told).toEqual(['open pcmu', 'attached', 'endpoint started', 'held false']);
  expect(parts.call.state).toBe('talking');
});

test('what the caller says after the 200 is heard, however late his ACK is', async () => {
  const parts = await setUp();
  parts.say('before anybody answered');
  await parts.invite();
  parts.say('hello');
  parts.press('1');
  parts.say('is anybody there');
  expect(parts.told).toEqual(['open pcmu']);
  parts.receive('ACK');
  parts.say('at last');
  expect(parts.told.slice(1)).toEqual([
    'attached',
    'heard hello',
    'heard is anybody there',
    'key 1',
    'endpoint started',
    'held false',
    'heard at last',
  ]);
});

test('the caller hangs up', async () => {
  const parts = await talking();
  expect(parts.receive('BYE').statuses).toEqual([200]);
  await parts.settle();
  expect(endOf(parts)).toEqual(once('completed', 'caller-hung-up'));
});

test('the agent hangs up, and says it again', async () => {
  const parts = await talking();
  parts.controls[0]?.hangUp(hungUp);
  parts.controls[0]?.hangUp({ result: 'failed', reason: 'provider-failed' });
  await parts.settle();
  parts.signalling.last.reply(200);
  await parts.settle();
  expect(parts.signalling.methods).toEqual(['BYE']);
  expect(endOf(parts)).toEqual(once('completed', 'agent-hung-up'));
});

test('BYEs that cross are one end', async () => {
  const parts = await talking();
  parts.controls[0]?.hangUp(hungUp);
  await parts.settle();
  parts.receive('BYE');
  parts.signalling.last.reply(481);
  await parts.settle();
  expect(endOf(parts)).toEqual(once('completed', 'agent-hung-up'));
});

test('CANCEL while the session opens gives everything up', async () => {
  const opening = Promise.withResolvers<void>();
  const parts = await setUp({ open: () => opening.promise });
  const invite = await parts.invite();
  invite.cancel();
  opening.reject(new ConnectorError('CALL_GONE', 'ended'));
  await parts.settle();
  expect(invite.statuses).toEqual([180]);
  expect(endOf(parts)).toEqual(once('cancelled', 'caller-cancelled'));
});

test('CANCEL that the session does not notice gets no 200', async () => {
  const opening = Promise.withResolvers<void>();
  const parts = await setUp({ open: () => opening.promise });
  const invite = await parts.invite();
  invite.cancel();
  opening.resolve();
  await parts.settle();
  expect(invite.statuses).toEqual([180]);
  expect(endOf(parts)).toEqual(once('cancelled', 'caller-cancelled'));
});

test('a CANCEL that crosses the 200 on its way to the server is a cancelled call', async () => {
  const parts = await setUp();
  const invite = parts.receive('INVITE', { dialog: '', body: 'v=0' });
  invite.isGone = true;
  await parts.settle();
  expect(endOf(parts)).toEqual(once('cancelled', 'caller-cancelled'));
});

test('without a provider the phone rings and gets 480', async () => {
  const down = new ConnectorError('PROVIDER_UNAVAILABLE', 'down');
  const parts = await setUp({ open: () => Promise.reject(down) });
  const invite = await parts.invite();
  expect(invite.statuses).toEqual([180, 480]);
  expect(endOf(parts)).toEqual(once('failed', 'provider-failed'));
});

test('an offer without a codec of ours gets 488 and no ringing', async () => {
  const parts = await setUp();
  expect((await parts.invite('v=0 g729')).statuses).toEqual([488]);
  expect(endOf(parts)).toEqual(once('rejected', 'media-not-acceptable'));
});

test('a body that is no SDP gets 415, and no port', async () => {
  const parts = await setUp();
  const incoming = parts.receive('INVITE', {
    dialog: '',
    body: 'x',
    headers: { 'content-type': 'image/png' },
  });
  await parts.settle();
  expect(incoming.statuses).toEqual([415]);
  expect(parts.ended).toEqual([{ result: 'rejected', reason: 'media-not-acceptable' }]);
  expect(parts.told).toEqual(['gone']);
});

test('without a port a call gets 503 with Retry-After', async () => {
  const parts = await setUp({ ports: new ConnectorError('RTP_PORTS_EXHAUSTED', 'none') });
  const invite = await parts.invite();
  expect(invite.responses).toMatchObject([{ status: 503, headers: { 'Retry-After': '5' } }]);
  expect(parts.ended).toEqual([{ result: 'rejected', reason: 'capacity' }]);
});

test('a bug in the set-up gets 500 and ends this call only', async () => {
  const parts = await setUp({ open: () => Promise.reject(new TypeError('bug')) });
  expect((await parts.invite()).statuses).toEqual([180, 500]);
  expect(endOf(parts)).toEqual(once('failed', 'internal-error'));
});

test('a call that is ended while it rings is refused', async () => {
  const opening = Promise.withResolvers<void>();
  const parts = await setUp({ open: () => opening.promise });
  const invite = await parts.invite();
  parts.call.end({ result: 'completed', reason: 'api-hung-up' });
  opening.resolve();
  await parts.settle();
  expect(invite.statuses).toEqual([180, 480]);
  expect(endOf(parts)).toEqual(once('completed', 'api-hung-up'));
});

test('a call that is ended before its ACK gets BYE after it', async () => {
  const parts = await setUp();
  await parts.invite();
  parts.call.end(hungUp);
  await parts.settle();
  expect(parts.signalling.methods).toEqual([]);
  parts.receive('ACK');
  await parts.settle();
  parts.signalling.last.reply(200);
  await parts.settle();
  expect(parts.signalling.methods).toEqual(['BYE']);
  expect(parts.told).not.toContain('attached');
  expect(endOf(parts)).toEqual(once('completed', 'agent-hung-up'));
});

test('hold and resume reach the conversation', async () => {
  const parts = await talking();
  parts.told.length = 0;
  expect(parts.receive('INVITE', { body: 'v=0 hold' }).statuses).toEqual([200]);
  expect([parts.call.state, parts.told]).toEqual(['held', ['held true']]);
  await parts.settle();
  expect(parts.receive('INVITE', { body: 'v=0' }).statuses).toEqual([200]);
  expect([parts.call.state, parts.told]).toEqual(['talking', ['held true', 'held false']]);
});

test('a refused re-INVITE leaves the call as it was', async () => {
  const parts = await talking();
  expect(parts.receive('INVITE', { body: 'v=0 g729' }).statuses).toEqual([488]);
  expect(parts.call.state).toBe('talking');
  expect(parts.receive('INVITE', { body: 'v=0 hold' }).statuses).toEqual([200]);
});

test('a late offer is answered in the ACK', async () => {
  const parts = await setUp();
  const invite = await parts.invite('');
  expect(invite.responses).toMatchObject([{ status: 180 }, { status: 200, body: 'our offer' }]);
  parts.receive('ACK', { body: 'v=0 theirs' });
  expect(parts.told).toEqual([
    'open pcmu',
    'accepted v=0 theirs',
    'attached',
    'endpoint started',
    'held false',
  ]);
});

test('a peer that takes another law than expected gets a session in it', async () => {
  const parts = await setUp({ format: 'pcma' });
  await parts.invite('');
  parts.receive('ACK', { body: 'v=0 theirs' });
  expect(parts.told.slice(0, 6)).toEqual([
    'open pcmu',
    'accepted v=0 theirs',
    'conversation ended agent-hung-up',
    'attached',
    'open pcma',
    'endpoint started',
  ]);
  parts.controls[0]?.hangUp(hungUp);
  expect(parts.call.state).toBe('talking');
  parts.controls[1]?.hangUp(hungUp);
  expect(parts.call.state).toBe('ended');
});

test('a caller who falls silent is hung up on', async () => {
  const parts = await talking();
  parts.fallSilent();
  await parts.clock.advanceAsync(30_000);
  expect(parts.signalling.last.draft.headers).toEqual({
    Reason: 'Q.850;cause=102;text="no-media"',
  });
  parts.signalling.last.reply(200);
  await parts.settle();
  expect(endOf(parts)).toEqual(once('failed', 'no-media'));
});

test('a key by INFO reaches the conversation', async () => {
  const parts = await talking();
  const type = { 'content-type': 'application/dtmf-relay' };
  parts.receive('INFO', { headers: type, body: 'Signal=5' });
  expect(parts.told).toContain('digit 5');
});

test('a transfer is REFER, and BYE once it is done', async () => {
  const parts = await talking();
  const target = { to: 'sip:kitchen@x', referredBy: undefined };
  const outcome = parts.controls[0]?.transfer(target);
  await parts.settle();
  expect(parts.signalling.last.draft).toMatchObject({
    method: 'REFER',
    headers: { 'Refer-To': '<sip:kitchen@x>', 'Referred-By': '<sip:pizza@x>' },
  });
  expect(parts.call.state).toBe('transferring');
  parts.signalling.last.reply(202);
  parts.receive('NOTIFY', {
    headers: { event: 'refer', 'subscription-state': 'terminated' },
    body: 'SIP/2.0 200 OK',
  });
  expect(await outcome).toEqual({ outcome: 'completed' });
  parts.controls[0]?.hangUp({ result: 'transferred', reason: 'transferred' });
  await parts.settle();
  parts.signalling.last.reply(200);
  await parts.settle();
  expect(endOf(parts)).toEqual(once('transferred', 'transferred'));
});

test('a caller who goes to the target by himself is transferred', async () => {
  const parts = await talking();
  void parts.controls[0]?.transfer({ to: 'sip:kitchen@x', referredBy: undefined });
  await parts.settle();
  parts.signalling.last.reply(202);
  await parts.settle();
  parts.receive('BYE');
  await parts.settle();
  expect(endOf(parts)).toEqual(once('transferred', 'transferred'));
});

async function dialled() {
  const parts = await setUp();
  const audio = await parts.call.openAudio();
  const done = dialCall(parts.call, audio, parts.calls);
  await parts.settle();
  return { ...parts, done };
}

test('a call we place speaks as soon as it is answered', async () => {
  const parts = await dialled();
  expect(parts.signalling.last.draft).toMatchObject({ method: 'INVITE', body: 'our offer' });
  parts.signalling.last.reply(200, { headers, body: 'v=0 theirs' });
  await parts.done;
  expect(parts.told).toEqual([
    'open pcmu',
    'accepted v=0 theirs',
    'attached',
    'endpoint started',
    'held false',
  ]);
  expect(parts.call.state).toBe('talking');
});

test('a callee who refuses ends the call we placed', async () => {
  const parts = await dialled();
  parts.signalling.last.reply(486);
  await parts.done;
  await parts.settle();
  expect(endOf(parts)).toEqual(once('rejected', 'callee-refused'));
});

test('a call we placed is cancelled while it rings', async () => {
  const parts = await dialled();
  parts.call.end({ result: 'completed', reason: 'api-hung-up' });
  parts.signalling.last.reply(487);
  await parts.done;
  await parts.settle();
  expect(parts.signalling.last.isCancelled).toBe(true);
  expect(endOf(parts)).toEqual(once('completed', 'api-hung-up'));
});

test('the loss of the SIP server ends the call', async () => {
  const parts = await talking();
  parts.call.legUser.onEnded('signalling-lost');
  await parts.settle();
  expect(parts.ended).toEqual([{ result: 'failed', reason: 'internal-error' }]);
});

/** The bodies of the INFOs so far. */
function keysSent({ signalling }: Awaited<ReturnType<typeof setUp>>): (string | undefined)[] {
  return signalling.sent
    .filter(({ draft }) => draft.method === 'INFO')
    .map(({ draft }) => /^Signal=(.)/.exec(draft.body ?? '')?.[1]);
}

test('a peer without events gets keys by INFO, one after the other, and the line is not quiet meanwhile', async () => {
  const parts = await talking();
  parts.told.length = 0;
  const outcome = parts.call.sendDigits('1#');
  const more = parts.call.sendDigits('2');
  await parts.settle();
  expect([keysSent(parts), parts.told]).toEqual([['1'], ['pressing true']]);
  expect(parts.signalling.last.draft.headers).toEqual({ 'Content-Type': 'application/dtmf-relay' });
  for (const _ of ['1', '#', '2']) {
    parts.signalling.last.reply(200);
    await parts.clock.advanceAsync(200);
  }
  expect([await outcome, await more, keysSent(parts)]).toEqual(['sent', 'sent', ['1', '#', '2']]);
  await parts.settle();
  expect(parts.told).toEqual(['pressing true', 'pressing false']);
});

test('a peer that refuses INFO gets no more of those keys', async () => {
  const parts = await talking();
  const outcome = parts.call.sendDigits('12');
  await parts.settle();
  parts.signalling.last.reply(415);
  expect([await outcome, keysSent(parts)]).toEqual(['refused', ['1']]);
});

test('keys wait for an answered call that is not held, and no more than 64 at a time', async () => {
  const parts = await setUp();
  expect(parts.call.sendDigits('1')).toBe('not-answered');
  await parts.invite();
  parts.receive('ACK');
  expect(parts.call.sendDigits('1'.repeat(65))).toBe('too-many');
  parts.receive('INVITE', { body: 'v=0 hold' });
  expect(parts.call.sendDigits('1')).toBe('held');
  expect(keysSent(parts)).toEqual([]);
});

test('the end of the call cuts keys off', async () => {
  const parts = await talking();
  const outcome = parts.call.sendDigits('12');
  await parts.settle();
  parts.signalling.last.reply(200);
  await parts.settle();
  parts.receive('BYE');
  expect(await outcome).toBe('cut-off');
  await parts.settle();
  expect(endOf(parts)).toEqual(once('completed', 'caller-hung-up'));
});
