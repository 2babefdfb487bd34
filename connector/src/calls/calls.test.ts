import { expect, test } from 'vitest';
import { FakeIncoming, FakeSignalling } from '../../test/calls/fake-signalling.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import { Calls } from './calls.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { LegUser } from './leg.ts';
import type { SignallingUser } from './signalling.ts';

const sdpType = { 'content-type': 'application/sdp' };
const invite = {
  method: 'INVITE',
  uri: 'sip:pizza@127.0.0.1',
  body: 'v=0',
  headers: {
    ...sdpType,
    'call-id': 'c1',
    from: '"Ann" <sip:ann@127.0.0.4>;tag=t1',
    to: '<sip:pizza@127.0.0.1>',
    contact: '<sip:ann@127.0.0.4:5070>',
  },
};
const dialog = 'c1;from-tag=t1';

async function setUp() {
  const incoming: IncomingCall[] = [];
  const told: string[] = [];
  let server: SignallingUser | undefined;
  const signalling = new FakeSignalling();
  const calls = new Calls(
    { clock: new FakeClock(), log: silentLog, sessionSeconds: 1800, nonce: () => 'n' },
    {
      onIncoming: (call) => void incoming.push(call),
      onOptions: () => ({ status: 200 }),
    },
  );
  await calls.connect(async (user) => {
    server = user;
    return signalling;
  });
  const receive = (over: ConstructorParameters<typeof FakeIncoming>[0]) => {
    const request = new FakeIncoming(over);
    server?.onRequest(request);
    return request;
  };
  const user: LegUser = {
    onOffer: (sdp) => sdp,
    onOfferWanted: () => 'v=0',
    onAnswer: (sdp) => void told.push(`answer ${sdp}`),
    onConfirmed: () => void told.push('confirmed'),
    onDigit: () => undefined,
    onEnded: (end) => void told.push(end),
  };
  return { calls, incoming, receive, told, user, lose: () => server?.onLost() };
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined || list.length !== 1) throw new Error(`${list.length} instead of one`);
  return first;
}

test('a new INVITE becomes a call that knows who dialled what', async () => {
  const { receive, incoming } = await setUp();
  receive(invite);
  expect(only(incoming)).toMatchObject({
    sipCallId: 'c1',
    dialledUser: 'pizza',
    offer: 'v=0',
    sourceAddress: '127.0.0.4',
    from: { user: 'ann', displayName: 'Ann' },
  });
});

test('a call rings, is answered, acknowledged and ended by its dialog', async () => {
  const { receive, incoming, calls, user, told } = await setUp();
  const request = receive(invite);
  const call = only(incoming);
  call.ring();
  await call.answer('v=0 ours', user);
  expect(request.responses).toMatchObject([
    { status: 180 },
    { status: 200, body: 'v=0 ours', headers: { 'Session-Expires': '1800;refresher=uas' } },
  ]);
  receive({ method: 'ACK', dialog });
  receive({ method: 'BYE', dialog });
  expect(told).toEqual(['confirmed', 'remote-hung-up']);
  expect(calls.legCount).toBe(0);
});

test('a call without offer is answered with ours and takes the answer from the ACK', async () => {
  const { receive, incoming, user, told } = await setUp();
  const { body: _, ...late } = invite;
  receive(late);
  const call = only(incoming);
  expect(call.offer).toBe('');
  await call.answer('v=0 ours', user);
  receive({ method: 'ACK', dialog, headers: sdpType, body: 'v=0 theirs' });
  expect(told).toEqual(['answer v=0 theirs', 'confirmed']);
});

test('180 is reliable where the caller requires it', async () => {
  const { receive, incoming } = await setUp();
  const request = receive({ ...invite, headers: { ...invite.headers, require: '100rel' } });
  only(incoming).ring();
  expect(request.responses).toMatchObject([{ status: 180, headers: { Require: '100rel' } }]);
});

test('a cancelled call says so once and takes no answer', async () => {
  const { receive, incoming, calls, user, told } = await setUp();
  const request = receive(invite);
  const call = only(incoming);
  call.onCancelled(() => void told.push('cancelled'));
  call.ring();
  request.cancel();
  request.cancel();
  call.reject({ status: 480 });
  await expect(call.answer('v=0', user)).rejects.toMatchObject({ code: 'CALL_GONE' });
  expect([request.statuses, told, calls.legCount]).toEqual([[180], ['cancelled'], 0]);
});

test('an answer that the server does not take leaves no leg', async () => {
  const { receive, incoming, calls, user, told } = await setUp();
  const request = receive(invite);
  request.isGone = true;
  await expect(only(incoming).answer('v=0', user)).rejects.toMatchObject({ code: 'CALL_GONE' });
  expect([calls.legCount, told]).toEqual([0, []]);
});

test('a call with a picture instead of SDP says so, and a 415 says what would do', async () => {
  const { receive, incoming } = await setUp();
  const request = receive({
    ...invite,
    headers: { ...invite.headers, 'content-type': 'image/png' },
  });
  expect(only(incoming)).toMatchObject({ hasForeignBody: true, offer: '' });
  only(incoming).reject({ status: 415 });
  expect(request.responses).toMatchObject([
    { status: 415, headers: { Accept: 'application/sdp' } },
  ]);
});

test('a rejected call is answered once', async () => {
  const { receive, incoming } = await setUp();
  const request = receive(invite);
  only(incoming).reject({ status: 486 });
  only(incoming).reject({ status: 480 });
  expect(request.statuses).toEqual([486]);
});

test('the loss of the server ends every leg', async () => {
  const { receive, incoming, calls, user, told, lose } = await setUp();
  receive(invite);
  await only(incoming).answer('v=0', user);
  lose();
  expect([calls.legCount, told]).toEqual([0, ['signalling-lost']]);
});

const inDialog = { ...invite.headers, to: '<sip:pizza@127.0.0.1>;tag=gone' };

test.each([
  { name: 'an INVITE without Contact', over: { headers: { ...sdpType } }, status: 400 },
  {
    name: 'an INVITE that requires what we lack',
    over: { headers: { ...invite.headers, require: 'precondition' } },
    status: 420,
  },
  { name: 'a re-INVITE of an unknown dialog', over: { headers: inDialog }, status: 481 },
  { name: 'BYE of an unknown dialog', over: { method: 'BYE', dialog: 'x' }, status: 481 },
  { name: 'PRACK', over: { method: 'PRACK', headers: inDialog }, status: 200 },
  { name: 'OPTIONS', over: { method: 'OPTIONS' }, status: 200 },
  { name: 'REGISTER', over: { method: 'REGISTER' }, status: 405 },
  { name: 'MESSAGE', over: { method: 'MESSAGE' }, status: 405 },
  { name: 'INFO outside of dialogs', over: { method: 'INFO' }, status: 481 },
  { name: 'NOTIFY outside of dialogs', over: { method: 'NOTIFY' }, status: 481 },
  { name: 'SUBSCRIBE', over: { method: 'SUBSCRIBE' }, status: 489 },
])('$name is answered $status and is no call', async ({ over, status }) => {
  const { receive, incoming } = await setUp();
  expect(receive({ ...invite, ...over }).statuses).toEqual([status]);
  expect(incoming).toEqual([]);
});

test('a stray ACK gets nothing', async () => {
  const { receive } = await setUp();
  expect(receive({ method: 'ACK', dialog: 'x' }).statuses).toEqual([]);
});
