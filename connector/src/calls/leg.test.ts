import { expect, test } from 'vitest';
import { FakeIncoming, FakeSignalling } from '../../test/calls/fake-signalling.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { ConnectorError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { Leg, type LegUser } from './leg.ts';
import { RequestSender } from './request-sender.ts';
import type { Headers } from './signalling.ts';

const dialog = 'c1;from-tag=t1';
const sdpType = { 'content-type': 'application/sdp' };

function setUp(over: Partial<LegUser> = {}) {
  const clock = new FakeClock();
  const signalling = new FakeSignalling();
  const told: string[] = [];
  const user: LegUser = {
    onOffer: (sdp) => `answer to ${sdp}`,
    onOfferWanted: () => 'our offer',
    onAnswer: (sdp) => void told.push(`answer ${sdp}`),
    onConfirmed: () => void told.push('confirmed'),
    onDigit: (digit, duration) => void told.push(`digit ${digit} ${duration}`),
    onEnded: (end) => void told.push(`ended ${end}`),
    ...over,
  };
  const sender = new RequestSender({ signalling, clock, nonce: () => 'n' });
  const leg = new Leg(
    {
      dialog,
      sender,
      clock,
      log: silentLog,
      sessionSeconds: 1800,
      onGone: () => void told.push('gone'),
    },
    user,
  );
  const receive = (method: string, headers: Headers = {}, body = '') => {
    const incoming = new FakeIncoming({ method, dialog, headers, body });
    leg.handle(incoming);
    return incoming;
  };
  return { clock, signalling, told, leg, receive };
}

/** A leg that was answered and acknowledged. */
function talking(over: Partial<LegUser> = {}) {
  const parts = setUp(over);
  parts.leg.answered(false);
  parts.receive('ACK');
  parts.told.length = 0;
  return parts;
}

const settle = () => new FakeClock().advanceAsync(0);

test('the ACK confirms a leg once, retransmissions are absorbed', () => {
  const { leg, receive, told } = setUp();
  leg.answered(false);
  receive('ACK');
  receive('ACK');
  expect(told).toEqual(['confirmed']);
});

test('BYE is answered 200 and ends the leg', () => {
  const { receive, told, leg } = talking();
  expect(receive('BYE').statuses).toEqual([200]);
  expect(told).toEqual(['gone', 'ended remote-hung-up']);
  expect(leg.phase).toBe('ended');
});

test('a second BYE changes nothing', () => {
  const { receive, told } = talking();
  receive('BYE');
  receive('BYE');
  expect(told).toEqual(['gone', 'ended remote-hung-up']);
});

test.each([
  { reason: 'SIP;cause=200;text="ACK timeout"', want: 'ended no-ack' },
  { reason: 'SIP;cause=200;text="Session timer expired"', want: 'ended session-expired' },
  { reason: '', want: 'ended session-expired' },
])('a BYE that the server made for "$reason" is not answered', ({ reason, want }) => {
  const { leg, told } = talking();
  const incoming = new FakeIncoming({
    method: 'BYE',
    dialog,
    source: 'server',
    headers: { reason },
  });
  leg.handle(incoming);
  expect(incoming.statuses).toEqual([]);
  expect(told).toEqual(['gone', want]);
});

test('hanging up sends one BYE and tells the user nothing', async () => {
  const { leg, signalling, told, clock } = talking();
  const done = Promise.all([leg.hangUp({ Reason: 'x' }), leg.hangUp()]);
  await settle();
  signalling.last.reply(200);
  await done;
  expect(signalling.methods).toEqual(['BYE']);
  expect(signalling.last.draft.headers).toEqual({ Reason: 'x' });
  expect(told).toEqual(['gone']);
  expect(clock.pending).toBe(0);
});

test('a BYE that nobody answers ends all the same', async () => {
  const { leg, clock, told } = talking();
  const done = leg.hangUp();
  await clock.advanceAsync(60_000);
  await done;
  expect(told).toEqual(['gone']);
});

test('BYEs that cross end the leg once', async () => {
  const { leg, signalling, told, receive } = talking();
  const done = leg.hangUp();
  await settle();
  expect(receive('BYE').statuses).toEqual([200]);
  signalling.last.reply(481);
  await done;
  expect(told).toEqual(['gone']);
});

test('no BYE goes out before the ACK has come', async () => {
  const { leg, receive, signalling, told } = setUp();
  leg.answered(false);
  void leg.hangUp();
  await settle();
  expect(signalling.methods).toEqual([]);
  receive('ACK');
  await settle();
  expect(signalling.methods).toEqual(['BYE']);
  expect(told).toEqual([]);
});

test('without an ACK the BYE is left to the server', async () => {
  const { leg, signalling, told } = setUp();
  leg.answered(false);
  const done = leg.hangUp();
  leg.handle(new FakeIncoming({ method: 'BYE', dialog, source: 'server' }));
  await done;
  expect(signalling.methods).toEqual([]);
  expect(told).toEqual(['gone']);
});

test('the answer to our offer comes with the ACK', () => {
  const { leg, receive, told } = setUp();
  leg.answered(true);
  receive('ACK', sdpType, 'v=0');
  expect(told).toEqual(['answer v=0', 'confirmed']);
});

test('an answer that cannot be used ends the call by BYE', async () => {
  const { leg, receive, told, signalling } = setUp({
    onAnswer: () => {
      throw new ConnectorError('MEDIA_NOT_ACCEPTABLE', 'no codec');
    },
  });
  leg.answered(true);
  receive('ACK', sdpType, 'v=0');
  await settle();
  expect(told).toEqual(['ended media-not-acceptable']);
  expect(signalling.last.draft).toMatchObject({
    method: 'BYE',
    headers: { Reason: 'SIP;cause=488;text="Answer not acceptable"' },
  });
});

test('a re-INVITE gets the answer, with session timer', () => {
  const { receive } = talking();
  const { responses } = receive('INVITE', { ...sdpType, supported: 'timer' }, 'hold');
  expect(responses).toMatchObject([
    {
      status: 200,
      body: 'answer to hold',
      headers: { 'Session-Expires': '1800;refresher=uac', 'Content-Type': 'application/sdp' },
    },
  ]);
});

test('a re-INVITE without SDP gets our offer and brings the answer in its ACK', () => {
  const { receive, told } = talking();
  expect(receive('INVITE').responses).toMatchObject([{ status: 200, body: 'our offer' }]);
  receive('ACK', sdpType, 'v=1');
  expect(told).toEqual(['answer v=1']);
});

test.each([
  { code: 'MEDIA_NOT_ACCEPTABLE', status: 488 },
  { code: 'SDP_INVALID', status: 400 },
] as const)('a re-INVITE refused for $code leaves the leg as it was', async ({ code, status }) => {
  let isRefusing = true;
  const { receive, leg, told } = talking({
    onOffer: () => {
      if (isRefusing) throw new ConnectorError(code, 'no');
      return 'fine';
    },
  });
  expect(receive('INVITE', sdpType, 'v=0').statuses).toEqual([status]);
  isRefusing = false;
  expect(receive('INVITE', sdpType, 'v=0').statuses).toEqual([200]);
  await settle();
  expect([leg.phase, told]).toEqual(['confirmed', []]);
});

test.each([{ name: 'while our 200 waits for its ACK', prepare: () => undefined }])(
  'a re-INVITE $name gets 491',
  () => {
    const { leg, receive } = setUp();
    leg.answered(false);
    expect(receive('INVITE', sdpType, 'v=0').statuses).toEqual([491]);
  },
);

test('a re-INVITE while our offer waits for its answer gets 491', () => {
  const { receive } = talking();
  receive('INVITE');
  expect(receive('UPDATE', sdpType, 'v=0').statuses).toEqual([491]);
});

test('a key by INFO is answered and told', () => {
  const { receive, told } = talking();
  const { statuses } = receive(
    'INFO',
    { 'content-type': 'application/dtmf-relay' },
    'Signal=5\r\nDuration=100',
  );
  expect([statuses, told]).toEqual([[200], ['digit 5 100']]);
});

test('the loss of the SIP server ends the leg', () => {
  const { leg, told } = talking();
  leg.lost();
  expect(told).toEqual(['gone', 'ended signalling-lost']);
});

const target = { to: 'sip:kitchen@example.com', referredBy: 'sip:agent@example.com' };
const notify = { event: 'refer', 'subscription-state': 'active' };
const last = { event: 'refer', 'subscription-state': 'terminated;reason=noresource' };

async function referring() {
  const parts = talking();
  const outcome = parts.leg.refer(target);
  await settle();
  return { ...parts, outcome };
}

test('a transfer is followed to the target that answers', async () => {
  const { signalling, receive, outcome, clock, leg } = await referring();
  expect(signalling.last.draft).toEqual({
    method: 'REFER',
    dialog,
    headers: {
      'Refer-To': '<sip:kitchen@example.com>',
      'Referred-By': '<sip:agent@example.com>',
    },
  });
  signalling.last.reply(202);
  expect(receive('NOTIFY', notify, 'SIP/2.0 100 Trying').statuses).toEqual([200]);
  expect(receive('NOTIFY', notify, 'SIP/2.0 180 Ringing').statuses).toEqual([200]);
  expect(receive('NOTIFY', last, 'SIP/2.0 200 OK').statuses).toEqual([200]);
  expect(await outcome).toEqual({ outcome: 'completed' });
  expect([clock.pending, leg.phase]).toEqual([0, 'confirmed']);
});

test.each([
  { name: 'is busy', body: 'SIP/2.0 486 Busy Here', want: [486, 'Busy Here'] },
  {
    name: 'is not reported on',
    body: 'SIP/2.0 100 Trying',
    want: [480, 'Subscription ended without an outcome'],
  },
])('a transfer fails when the target $name', async ({ body, want: [status, reason] }) => {
  const { signalling, receive, outcome } = await referring();
  signalling.last.reply(202);
  receive('NOTIFY', last, body);
  expect(await outcome).toEqual({ outcome: 'failed', status, reason });
});

test('a refused REFER fails with its status and leaves the leg', async () => {
  const { signalling, outcome, leg, clock } = await referring();
  signalling.last.reply(405, { reason: 'Method Not Allowed' });
  expect(await outcome).toEqual({ outcome: 'failed', status: 405, reason: 'Method Not Allowed' });
  expect([leg.phase, clock.pending]).toEqual(['confirmed', 0]);
});

test('a NOTIFY that overtakes the 202 counts', async () => {
  const { receive, outcome, signalling } = await referring();
  receive('NOTIFY', last, 'SIP/2.0 200 OK');
  signalling.last.reply(202);
  expect(await outcome).toEqual({ outcome: 'completed' });
});

test('a transfer without a report ends by its limit, and a late NOTIFY gets 481', async () => {
  const { signalling, outcome, clock, receive } = await referring();
  signalling.last.reply(202);
  await clock.advanceAsync(90_000);
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 408 });
  expect(receive('NOTIFY', last, 'SIP/2.0 200 OK').statuses).toEqual([481]);
});

test('a peer that hangs up after the 202 has done its part', async () => {
  const { signalling, outcome, receive, told } = await referring();
  signalling.last.reply(202);
  await settle();
  receive('BYE');
  expect(await outcome).toEqual({ outcome: 'completed' });
  expect(told).toEqual(['gone', 'ended transferred']);
});

test('a peer that hangs up before the 202 has hung up', async () => {
  const { outcome, receive, told } = await referring();
  receive('BYE');
  expect(await outcome).toMatchObject({ outcome: 'failed', status: 481 });
  expect(told).toEqual(['gone', 'ended remote-hung-up']);
});

test('a 202 without subscription is all that will be known', async () => {
  const { signalling, outcome } = await referring();
  signalling.last.reply(202, { headers: { 'refer-sub': 'false' } });
  expect(await outcome).toEqual({ outcome: 'completed' });
});

test('one transfer at a time', async () => {
  const { leg } = await referring();
  expect(await leg.refer(target)).toMatchObject({ outcome: 'failed', status: 491 });
});
